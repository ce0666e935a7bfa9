"""What people let each other do: who sees, who looked, whose yes is waited for, and taking a permission back."""

from __future__ import annotations

from data.ids import ActId, PersonId
from data.model import Utility, masked_name
from dialogues.actions.ports import Arguments, Inside, Result, bill_name, inside
from dialogues.consents import act_slots
from dialogues.naming import is_called, named
from payments import approving, inviting, linking
from payments.authority import invitations, looks, people
from payments.authority.invitations import WrongCode
from payments.authority.looks import Look

_MOST_LOOKS = 4  # days told; the rest is in the audit


# --- somebody else's yes ------------------------------------------------------------------------------------------


@inside("action_refuse_act", "refused over", reads="act_id")
def refuse_act(room: Inside, slots: Arguments) -> Result:
    """A plain no to what another began: it ends for both, and who began it is told."""
    ended = room.till.cancel(room.tx, ActId(str(slots["act_id"])), room.person, room.now)
    return Result("refused" if ended else "over")


@inside(
    "action_waiting_for",
    "can_ring waiting none",
    writes="act_id who amount bill_name biller_name holder tail prepaid again_account act_list act_list_spoken act_count",
)
def waiting_for(room: Inside, slots: Arguments) -> Result:
    """Whose yes the payment waits for that this person began last, and whether that person can be rung."""
    waiting = approving.waits_for(room.tx, room.person, room.now)
    if not waiting:
        return Result("none")
    found = waiting[0]
    deciders = approving.deciders(room.tx, found, room.now)
    if not deciders:
        return Result("none")
    asked = deciders[0]
    facts = act_slots(room.tx, room.catalogue, found, room.locale)
    facts["who"] = named(room.tx, room.person, asked, room.locale)
    return Result("can_ring" if _can_be_rung(room, asked) else "waiting", facts)


def _can_be_rung(room: Inside, person: PersonId) -> bool:
    return any(a.verified and a.channel == "voice" for a in people.addresses_of(room.tx, person))


@inside("action_ring_owner", "ringing over", reads="act_id")
def ring_owner(room: Inside, slots: Arguments) -> Result:
    """Asks once more, by telephone."""
    asked = approving.ask_again(room.tx, ActId(str(slots["act_id"])), room.now, "voice")
    return Result("ringing" if asked else "over")


# --- who sees, who looked -----------------------------------------------------------------------------------------


@inside("action_who_sees", "somebody_looked nobody_looked only_you", writes="people_list looked_list other")
def who_sees(room: Inside, slots: Arguments) -> Result:
    """From the grants and the audit's own lines: who may, and who did on which day with which bills."""
    links = looks.given_by(room.tx, room.person, room.now)
    seen = looks.looked_at(room.tx, room.person, room.now)
    comma = ", " if room.locale == "en" else "、"
    may = comma.join(named(room.tx, room.person, link.taker, room.locale) for link in links)
    facts = {
        "people_list": may or ("nobody" if room.locale == "en" else "没有别人"),
        "looked_list": ("; " if room.locale == "en" else "；").join(
            _told(room, look) for look in seen[:_MOST_LOOKS]
        ),
        "other": links[0].taker if len(links) == 1 else None,
    }
    if seen:
        return Result("somebody_looked", facts)
    return Result("nobody_looked" if links else "only_you", facts)


def _told(room: Inside, look: Look) -> str:
    """3月10日 社区帮办员周慧看过水费、电费."""
    who = named(room.tx, room.person, look.actor, room.locale)
    names = [bill_name(room.catalogue, Utility(kind), room.locale) for kind in look.utilities]
    if room.locale == "en":
        return f"{look.day:%d %B}: {who} looked at {', '.join(names)}"
    return f"{look.day.month}月{look.day.day}日{who}看过{'、'.join(names)}"


# --- taking back --------------------------------------------------------------------------------------------------


@inside(
    "action_whose_permission",
    "one several none",
    reads="other other_choice relation person_name",
    writes="other other_choices who",
)
def whose_permission(room: Inside, slots: Arguments) -> Result:
    """Whom 不让她看了 means: named, the one just spoken of, the only one, or a choice. Also whom one no longer helps."""
    linked = _linked(room)
    meant = [person for person in linked if _is_meant(room, person, slots)]
    found = meant or ([] if slots.get("person_name") or slots.get("relation") else linked)
    if not found:
        return Result("none")
    if len(found) == 1:
        return Result("one", {"other": found[0], "who": named(room.tx, room.person, found[0], room.locale)})
    words = {person: [named(room.tx, room.person, person, room.locale)] for person in found}
    return Result("several", {"other_choices": words})


def _linked(room: Inside) -> list[PersonId]:
    """Who may do something for this person; when nobody may, those he may do something for."""
    given = [link.taker for link in looks.given_by(room.tx, room.person, room.now)]
    return given or [link.giver for link in looks.given_to(room.tx, room.person, room.now)]


def _is_meant(room: Inside, person: PersonId, slots: Arguments) -> bool:
    if slots.get("other_choice"):
        return bool(person == slots["other_choice"])
    if name := slots.get("person_name"):
        return bool(people.person(room.tx, person).name == name)
    if relation := slots.get("relation"):
        return is_called(room.tx, room.person, person, str(relation))
    return bool(person == slots.get("other"))


@inside("action_take_back", "ended nothing", reads="other", writes="who other")
def take_back(room: Inside, slots: Arguments) -> Result:
    """At once and without a second factor: everything between the two, and what was begun with it."""
    other = PersonId(str(slots["other"]))
    who = named(room.tx, room.person, other, room.locale)
    ended = linking.unlink(room.tx, room.person, other, room.person, room.now)
    if not ended:
        ended = linking.unlink(room.tx, other, room.person, room.person, room.now)
    return Result("ended" if ended else "nothing", {"who": who, "other": None})


# --- taking up an invitation --------------------------------------------------------------------------------------


@inside(
    "action_find_invitation", "found wrong enough", reads="join_code", writes="invitation who join_code other"
)
def find_invitation(room: Inside, slots: Arguments) -> Result:
    """Whose invitation a code is, by the masked name only."""
    found = invitations.find(room.tx, room.person, str(slots["join_code"]), room.now)
    if isinstance(found, WrongCode):
        return Result("wrong" if found.tries_left else "enough", {"join_code": None})
    who = masked_name(people.person(room.tx, found.giver).name)
    return Result("found", {"invitation": found.id, "who": who, "other": found.giver})


@inside("action_take_up", "taken gone", reads="invitation other", writes="join_code")
def take_up(room: Inside, slots: Arguments) -> Result:
    """He knows who invites him; now the giver is asked about him. The code leaves the talk's memory."""
    giver = PersonId(str(slots["other"]))
    done = inviting.take_up(room.tx, str(slots["invitation"]), room.person, giver, room.now)
    return Result("taken" if done else "gone", {"join_code": None})


@inside("action_answer_link", "linked refused gone", reads="invitation knows_taker")
def answer_link(room: Inside, slots: Arguments) -> Result:
    """The giver's word about who took his invitation up."""
    knows = bool(slots["knows_taker"])
    found = inviting.answer(room.tx, str(slots["invitation"]), room.person, knows=knows, at=room.now)
    return Result("gone" if found is None else "linked" if knows else "refused")


ACTIONS = (
    find_invitation,
    take_up,
    answer_link,
    refuse_act,
    waiting_for,
    ring_owner,
    who_sees,
    whose_permission,
    take_back,
)
