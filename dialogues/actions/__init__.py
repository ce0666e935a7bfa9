"""Every action the flows may call, listed by hand: nothing is found by scanning."""

from __future__ import annotations

from dialogues.actions import (
    account,
    bills,
    enrolment,
    help,
    helping,
    household,
    looking_back,
    mandate,
    people,
    pin,
)
from dialogues.actions.ports import Action

ACTIONS: dict[str, Action] = {
    action.spec.name: action
    for action in (
        *account.ACTIONS,
        *bills.ACTIONS,
        *enrolment.ACTIONS,
        *help.ACTIONS,
        *helping.ACTIONS,
        *household.ACTIONS,
        *looking_back.ACTIONS,
        *mandate.ACTIONS,
        *people.ACTIONS,
        *pin.ACTIONS,
    )
}
SPECS = {name: action.spec for name, action in ACTIONS.items()}
