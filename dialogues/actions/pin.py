"""Setting the PIN with which a person confirms payments: first proven by a code to a second address."""

from __future__ import annotations

from data.clock import is_quiet
from data.ids import ActId, PersonId
from data.store import letters
from dialogues import codes
from dialogues.actions.ports import Arguments, Inside, Result, inside
from dialogues.naming import named
from dialogues.saying import plain
from payments.authority import factors, vouching
from payments.authority.factors import FactorPassed, FactorWrong

# Codes for setting a PIN are bound to this instead of an act, so that neither can stand for the other.
_BINDING = "set_pin"
VOUCH, VOUCHED = "pin_vouch", "pin_vouched"
_MOST_NAMED = 3


def _pin_act(room: Inside) -> ActId:
    return ActId(f"set_pin:{room.person}")


@inside("action_begin_pin", "free locked may_ask")
def begin_pin(room: Inside, slots: Arguments) -> Result:
    """Whether a PIN may be set without a code (a relative has just vouched for him), not now, or after a code."""
    if factors.lifted(room.tx, room.person, room.now):
        return Result("free")
    return Result("locked" if factors.blocked(room.tx, room.person, room.now) else "may_ask")


@inside("action_send_pin_code", "sent no_second_address")
def send_pin_code(room: Inside, slots: Arguments) -> Result:
    """Sends a one-time code to another address of the same person, never to this chat (settled 23)."""
    sent = codes.send(
        room.tx,
        person=room.person,
        act=_pin_act(room),
        binding=_BINDING,
        channel=room.facts.channel,
        text=plain(room.release, "utter_code_message_pin", {"code": "{code}"}, room.conversation, room.facts),
        at=room.now,
        cause=room.event_id,
    )
    return Result("sent" if sent else "no_second_address")


@inside("action_check_pin_code", "passed wrong blocked", reads="pin_code", writes="pin_code")
def check_pin_code(room: Inside, slots: Arguments) -> Result:
    """Whether the code is the one just sent."""
    checked = factors.check(room.tx, room.person, _pin_act(room), _BINDING, str(slots["pin_code"]), room.now)
    match checked:
        case FactorPassed(kind="code"):
            return Result("passed", {"pin_code": None})
        case FactorPassed() | FactorWrong():
            return Result("wrong", {"pin_code": None})
        case _:
            return Result("blocked", {"pin_code": None})


@inside("action_check_new_pin", "fits weak", reads="new_pin")
def check_new_pin(room: Inside, slots: Arguments) -> Result:
    """Whether the PIN may be taken, before anybody types it a second time."""
    problem = factors.problem_of(room.tx, room.person, str(slots["new_pin"]))
    return Result("weak" if problem else "fits")


@inside("action_set_pin", "set weak differs", reads="new_pin pin_repeated", writes="new_pin pin_repeated")
def set_pin(room: Inside, slots: Arguments) -> Result:
    """Keeps the PIN (argon2) when both entries agree; it leaves the talk's memory at once."""
    gone = {"new_pin": None, "pin_repeated": None}
    if slots["new_pin"] != slots["pin_repeated"]:
        return Result("differs", gone)
    problem = factors.set_pin(room.tx, room.person, str(slots["new_pin"]), room.now)
    return Result("weak" if problem else "set", gone)


# --- somebody vouches for him -------------------------------------------------------------------------------------


@inside("action_who_vouches", "found nobody", writes="who")
def who_vouches(room: Inside, slots: Arguments) -> Result:
    """His relatives; where he has none, or none answers, his helper or our staff (settled 23)."""
    whom = vouching.who_may(room.tx, room.person, room.now)
    return Result("found", {"who": _together(room, whom)}) if whom else Result("nobody")


def _together(room: Inside, whom: tuple[PersonId, ...]) -> str:
    names = [named(room.tx, room.person, person, room.locale) for person in whom[:_MOST_NAMED]]
    return (" or " if room.locale == "en" else "、").join(names)


@inside("action_ask_to_vouch", "asked asked_by_day too_often", writes="who")
def ask_to_vouch(room: Inside, slots: Arguments) -> Result:
    """All of them are asked where they are reached themselves; each once a day, however often it is wished."""
    whom = vouching.ask(room.tx, room.person, room.now)
    for person in whom:
        letters.put_news(
            room.tx,
            id=f"{VOUCH}:{room.person}:{person}:{room.now:%Y-%m-%d}",
            person=person,
            kind=VOUCH,
            body={"who": room.person, "elder": room.person},
            at=room.now,
        )
    if not whom:
        return Result("too_often")
    # At night the question waits until eight (L12), and that is what he hears.
    return Result("asked_by_day" if is_quiet(room.now) else "asked", {"who": _together(room, whom)})


@inside("action_vouch", "lifted gone", reads="elder", writes="elder")
def vouch(room: Inside, slots: Arguments) -> Result:
    """His old PIN is worth nothing any more, and he may set a new one himself, where he is reached."""
    elder = PersonId(str(slots["elder"]))
    gone = {"elder": None}
    if not vouching.vouch(room.tx, elder, room.person, room.now):
        return Result("gone", gone)
    letters.put_news(
        room.tx,
        id=f"{VOUCHED}:{room.event_id}",
        person=elder,
        kind=VOUCHED,
        body={"who": room.person},
        at=room.now,
    )
    return Result("lifted", gone)


@inside("action_reset_pin", "lifted gone", reads="reset_by", writes="reset_by")
def reset_pin(room: Inside, slots: Arguments) -> Result:
    """His own yes to what staff began: the old PIN is void, and he sets the new one at once."""
    by = PersonId(str(slots["reset_by"]))
    lifted = vouching.agreed(room.tx, room.person, by, room.now)
    return Result("lifted" if lifted else "gone", {"reset_by": None})


ACTIONS = (
    reset_pin,
    begin_pin,
    who_vouches,
    ask_to_vouch,
    vouch,
    send_pin_code,
    check_pin_code,
    check_new_pin,
    set_pin,
)
