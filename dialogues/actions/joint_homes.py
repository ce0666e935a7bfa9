"""Whose bills a joint list is about: one's own home, a relative's, several people's at once, or those just looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from data.model import Role, Utility
from dialogues.actions.choosing import MORE
from dialogues.actions.homes import (
    ONE_HOME,
    home_of,
    homes,
    is_meant,
    nobody_we_may_see,
    under_one_roof,
)
from dialogues.actions.joint_list import MOST_BILLS
from dialogues.actions.ports import Arguments, Inside, Result, inside
from dialogues.relations import relation_word
from payments.authority import accounts, people
from payments.authority.accounts import KnownAccount

_JUST_TOLD = timedelta(minutes=30)  # longer ago, and 都交了 means one's own home
_NAMED = ("relation", "person_name", "joint_people", "joint_kinds", "joint_without", "joint_home")


@inside(
    "action_joint_accounts",
    "some none no_grant which_home",
    reads="joint_kinds joint_without joint_people joint_home relation person_name home_choice list_page offered_accounts offered_at",
    writes="joint_accounts joint_rest joint_rest_count joint_plan joint_left joint_people joint_unseen home_choice home_choices "
    "home_list list_page offered_accounts offered_at",
)
def joint_accounts(room: Inside, slots: Arguments) -> Result:
    """The saved accounts of the homes that are meant, of the kinds that were named; more than one list holds come after it."""
    if nobody_we_may_see(room, slots):
        return Result("no_grant")
    known = accounts.known_accounts(room.tx, room.person, room.now)
    if (offered := _just_offered(room, known, slots)) is not None:
        return Result("some", _pages(room, offered))
    if slots.get("joint_people"):
        return _of_several(room, known, slots)
    home = slots.get("home_choice") if slots.get("home_choice") != MORE else None
    found = [k for k in _kinds(_of_the_home(room, known, slots), slots) if home in (None, home_of(k))]
    if not found:
        return Result("none")
    if slots.get("person_name") and len({home_of(k) for k in found}) > 1:
        return Result("which_home", homes(found, room, slots))  # 王阿姨 of thirty homes is several people
    return Result("some", _pages(room, _in_order(found, slots.get("joint_kinds"))))


def _just_offered(room: Inside, known: list[KnownAccount], slots: Arguments) -> list[KnownAccount] | None:
    """都交了 after all bills of a home were told: exactly these, as far as they may still be seen."""
    offered, since = slots.get("offered_accounts"), slots.get("offered_at")
    if not offered or not since or any(slots.get(name) for name in _NAMED):
        return None
    if room.now - datetime.fromisoformat(since) > _JUST_TOLD:
        return None
    return [k for k in known if k.account.id in offered] or None


def _of_the_home(room: Inside, known: list[KnownAccount], slots: Arguments) -> list[KnownAccount]:
    if slots.get("relation") or slots.get("person_name"):
        return _theirs(known, {name: slots.get(name) for name in ("relation", "person_name")})
    if people.person(room.tx, room.person).role is Role.HELPER:
        return []  # 家里的 of somebody who serves thirty homes names none of them
    return [k for k in known if k.relation in ONE_HOME] or known


def _kinds(known: list[KnownAccount], slots: Mapping[str, Any]) -> list[KnownAccount]:
    kinds, without = slots.get("joint_kinds"), slots.get("joint_without") or ()
    wanted = [k for k in known if not kinds or k.account.utility.value in kinds]
    return [k for k in wanted if k.account.utility.value not in without]


def _in_order(known: list[KnownAccount], kinds: Iterable[str] | None) -> list[KnownAccount]:
    """Meters that are filled up come last: what is due is told first."""
    order = list(kinds or (kind.value for kind in Utility))
    order = [kind for kind in order if kind != Utility.ELECTRICITY] + [Utility.ELECTRICITY.value]
    return sorted(known, key=lambda k: order.index(k.account.utility.value))


def _pages(room: Inside, found: list[KnownAccount]) -> dict[str, Any]:
    """As many as anybody listens to, and the others for the next list."""
    chosen = [k.account.id for k in found]
    rest = chosen[MOST_BILLS:]
    return {
        "joint_accounts": chosen[:MOST_BILLS],
        "joint_rest": rest or None,
        "joint_rest_count": len(rest) or None,
        "joint_plan": {},
        "joint_left": [],
        "joint_unseen": None,
        "offered_accounts": chosen,
        "offered_at": room.now.isoformat(),
    }


# --- several people in one question ---------------------------------------------------------------------------------


def _of_several(room: Inside, known: list[KnownAccount], slots: Arguments) -> Result:
    """程老伯和李大爷的水费: each of them, asked about one by one where a name may mean several."""
    meant, chosen = [dict(one) for one in slots["joint_people"]], slots.get("home_choice")
    if chosen and all("home" in one for one in meant):
        meant = [one for one in meant if one["home"] == chosen]  # one after the other: this one now
        chosen = None
    found: dict[str, KnownAccount] = {}
    unseen = []
    for one in meant:
        theirs = _theirs(_kinds(known, {**slots, **one}), one)
        dwell = {home_of(k) for k in theirs}
        if "person_name" in one and len(dwell) > 1 and chosen not in dwell:
            return Result("which_home", homes(theirs, room, slots) | {"joint_people": meant})
        if "person_name" in one and len(dwell) > 1:
            theirs = [k for k in theirs if home_of(k) == chosen]
            one["home"], chosen = str(chosen), None
        found |= {k.account.id: k for k in theirs}
        if not theirs:
            unseen.append(_word(one, room.locale))
    if not found:
        return Result("no_grant")
    told = {
        "joint_people": meant,
        "joint_unseen": ("、" if room.locale == "zh" else ", ").join(unseen) or None,
    }
    kinds = slots.get("joint_kinds") or sorted({k for one in meant for k in one.get("joint_kinds", ())})
    ordered = _in_order(list(found.values()), kinds or None)
    return Result("some", _pages(room, ordered) | told | {"home_choice": None})


def _theirs(known: list[KnownAccount], one: Mapping[str, Any]) -> list[KnownAccount]:
    """Somebody's own accounts; of the kinds he has none of, those of the other parent under the same roof."""
    if "home" in one:
        return [k for k in known if home_of(k) == one["home"]]
    own = [k for k in known if is_meant(k, one)]
    kinds = {k.account.utility for k in own}
    return own + [
        k for k in known if k.account.utility not in kinds and k not in own and under_one_roof(k, one)
    ]


def _word(one: Mapping[str, Any], locale: str) -> str:
    relation = str(one.get("relation") or "")
    return str(one.get("person_name") or relation_word(relation, locale) or relation.replace("_", " "))


@inside(
    "action_joint_one_home",
    "several one",
    reads="joint_accounts home_choice list_page",
    writes="joint_people home_choice home_choices home_list list_page",
)
def joint_one_home(room: Inside, slots: Arguments) -> Result:
    """Purses of several people cannot pay under one yes: whose bills shall come first."""
    listed = set(slots["joint_accounts"])
    known = [k for k in accounts.known_accounts(room.tx, room.person, room.now) if k.account.id in listed]
    dwell = list(dict.fromkeys(home_of(k) for k in known))
    if len(dwell) < 2:
        return Result("one")
    return Result("several", homes(known, room, slots) | {"joint_people": [{"home": home} for home in dwell]})


@inside(
    "action_joint_next",
    "some none",
    reads="joint_accounts joint_rest",
    writes="joint_accounts joint_rest joint_rest_count joint_plan joint_left joint_go_on payment news reason",
)
def joint_next(room: Inside, slots: Arguments) -> Result:
    """The next list of those that did not fit on one; what was added to the last one is not in it."""
    rest = [account for account in slots.get("joint_rest") or () if account not in slots["joint_accounts"]]
    gone: dict[str, object] = {
        "joint_plan": {},
        "joint_left": [],
        "joint_go_on": None,
        "payment": None,
        "news": None,
        "reason": None,
    }
    if not rest:
        return Result("none", gone | {"joint_rest": None, "joint_rest_count": None})
    more = rest[MOST_BILLS:]
    pages = {"joint_rest": more or None, "joint_rest_count": len(more) or None}
    return Result("some", gone | pages | {"joint_accounts": rest[:MOST_BILLS]})


ACTIONS = (joint_accounts, joint_one_home, joint_next)
