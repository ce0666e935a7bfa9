"""Setting the PIN with which a person confirms payments: first proven by a code to a second address."""

from __future__ import annotations

from data.ids import ActId
from dialogues import codes
from dialogues.actions.ports import Arguments, Inside, Result, inside
from dialogues.saying import plain
from payments.authority import factors
from payments.authority.factors import FactorPassed, FactorWrong

# Codes for setting a PIN are bound to this instead of an act, so that neither can stand for the other.
_BINDING = "set_pin"


def _pin_act(room: Inside) -> ActId:
    return ActId(f"set_pin:{room.person}")


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


ACTIONS = (send_pin_code, check_pin_code, check_new_pin, set_pin)
