"""What somebody wants to be told: changed at once, read back as it then stands, taken back with a word; nobody's but one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from data.clock import QUIET_FROM, QUIET_TO
from data.model import May
from dialogues import codes, responses
from dialogues.actions.ports import Arguments, Inside, Result, inside
from dialogues.model import Say
from dialogues.naming import is_called
from dialogues.relations import relation_word
from payments.authority import looks, wishes
from payments.authority.wishes import OPTIONAL, Group, Wishes

_READS = "notice_do notice_what notice_road notice_pick quiet_from quiet_to relation"
_WRITES = "notice_list notice_told notice_untold notice_hours evening_hour morning_hour notice_road who"
# What a key or a button of the question means.
_PICKED: dict[str, dict[str, Any]] = {
    "only_trouble": {"notice_do": "only_trouble"},
    "all": {"notice_do": "all"},
    "evening": {"notice_do": "quiet", "quiet_from": 20.0},
}


@inside(
    "action_notice_wishes",
    "changed only_trouble back never_changed always law hours by_day no_road not_gone others hears invite ask",
    reads=_READS,
    writes=_WRITES,
)
def notice_wishes(room: Inside, slots: Arguments) -> Result:
    """One wish about notices. It costs no money, so it counts at once and needs no code."""
    said = _PICKED.get(str(slots.get("notice_pick")), slots)
    match said.get("notice_do"):
        case "others" | "also" as whose:
            return _of_another(room, said, hears_too=whose == "also")
        case "undo":
            done = wishes.take_back(room.tx, room.person, room.now)
            return Result("back" if done else "never_changed", _stand(room))
        case "quiet" | "usual_hours" as hours:
            return _hours(room, said, usual=hours == "usual_hours")
        case "road":
            return _road(room, str(said.get("notice_road")))
        case "off" | "on" | "only_trouble" | "all" as does:
            return _groups(room, does, said.get("notice_what"))
        case _:
            return Result("ask", _stand(room))


# --- which ------------------------------------------------------------------------------------------------------------


def _groups(room: Inside, does: str, what: Any) -> Result:
    now = wishes.of(room.tx, room.person)
    if does == "off" and what == Group.TROUBLE:
        return Result("always", _stand(room))
    named = {Group(what)} & set(OPTIONAL) if what else set(OPTIONAL)
    quiet = does in ("off", "only_trouble")
    unwanted = now.unwanted | named if quiet else now.unwanted - named
    _keep(room, replace(now, unwanted=unwanted))
    everything = quiet and unwanted == frozenset(OPTIONAL)
    return Result("only_trouble" if everything else "changed", _stand(room))


def _keep(room: Inside, wanted: Wishes) -> None:
    kept = wishes.keep(room.tx, room.person, room.person, wanted, room.now)
    assert kept, "one's own wishes are one's own to change"


# --- when and where ---------------------------------------------------------------------------------------------------


def _hours(room: Inside, said: Arguments, *, usual: bool) -> Result:
    now = wishes.of(room.tx, room.person)
    since, until = _hour(said, "quiet_from"), _hour(said, "quiet_to")
    if usual:
        since, until = QUIET_FROM, QUIET_TO
    elif since is None and until is None:
        return Result("hours", _stand(room))
    elif not wishes.of_the_night(since, until):
        return Result("by_day", _stand(room))  # a nap, a morning: nothing is kept that was not said
    wanted = wishes.left_alone(since, until, now.quiet)
    at_night = since is not None and (since > QUIET_FROM or since < QUIET_TO)
    shorter = at_night or (until is not None and until < QUIET_TO)
    _keep(room, replace(now, quiet=wanted))
    return Result("law" if shorter else "changed", _stand(room))


def _hour(said: Arguments, name: str) -> int | None:
    return None if said.get(name) is None else int(said[name])


def _road(room: Inside, road: str) -> Result:
    registered = wishes.roads(room.tx, room.person)
    known = [channel for channel in registered if room.roads is None or channel in room.roads]
    chats = [channel for channel in known if channel not in (*codes.ELSEWHERE, "voice")]
    here = room.facts.channel if not room.facts.spoken else None
    wanted = here or next(iter(chats), None) if road == "chat" else road
    if wanted is None or (road != "chat" and road not in known):
        nobody_goes = road in registered and road not in known
        return Result("not_gone" if nobody_goes else "no_road", _stand(room) | {"notice_road": road})
    now = wishes.of(room.tx, room.person)
    _keep(room, replace(now, road=None if wanted == here else wanted))
    return Result("changed", _stand(room))


# --- whose ------------------------------------------------------------------------------------------------------------


def _of_another(room: Inside, said: Arguments, *, hears_too: bool) -> Result:
    """Nobody is silenced by a relative; whom one lets hear, hears by leave of his own."""
    relation = str(said.get("relation") or "")
    who = {"who": relation_word(_PLAIN.get(relation, relation), room.locale)}
    if not hears_too:
        return Result("others", who)
    for link in looks.given_by(room.tx, room.person, room.now):
        hears = {May.BILLS, May.NOTICES} & set(link.verbs)
        if hears and relation and is_called(room.tx, room.person, link.taker, relation):
            return Result("hears", who)
    return Result("invite", who)


_PLAIN = {"parents": "parent"}


# --- how it stands ----------------------------------------------------------------------------------------------------


def _stand(room: Inside) -> dict[str, Any]:
    """What he is told now and what not, between which hours not, and where: the words that are read back."""
    now = wishes.of(room.tx, room.person)
    hours = {"evening_hour": float(now.quiet.since - 12), "morning_hour": float(now.quiet.until)}
    told = [group for group in Group if group not in now.unwanted]
    facts = {
        **hours,
        "notice_told": _listed(room, told),
        "notice_untold": _listed(room, [group for group in Group if group in now.unwanted]) or None,
        "notice_hours": _words(room, "utter_notice_hours", hours),
    }
    facts["notice_list"] = _words(room, "utter_notices_as_they_stand", facts)
    if now.road is not None:
        by = {"notice_list": facts["notice_list"], "notice_road": _NAMES.get(now.road, "chat")}
        facts["notice_list"] = _words(room, "utter_notices_by_road", by)
    return facts


_NAMES = {"voice": "voice", codes.SMS: "sms"}


def _listed(room: Inside, groups: list[Group]) -> str:
    comma = "、" if room.locale == "zh" else ", "
    return comma.join(_words(room, "utter_notice_group", {"notice_what": group.value}) for group in groups)


def _words(room: Inside, response: str, values: dict[str, Any]) -> str:
    return responses.render(room.release, Say(response, values), room.conversation, room.facts)[0].text


ACTIONS = (notice_wishes,)
