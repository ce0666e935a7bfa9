"""Every action the flows may call, listed by hand: nothing is found by scanning."""

from __future__ import annotations

from dialogues.actions import (
    account,
    agreeing,
    asking_to_pay,
    auditing,
    bills,
    books,
    enrolment,
    help,
    helping,
    household,
    joint_homes,
    joint_list,
    looking_back,
    mandate,
    mandate_changing,
    mandate_looking,
    mandate_purse,
    notice_wishes,
    operating,
    people,
    pin,
)
from dialogues.actions.ports import Action

ACTIONS: dict[str, Action] = {
    action.spec.name: action
    for action in (
        *account.ACTIONS,
        *agreeing.ACTIONS,
        *asking_to_pay.ACTIONS,
        *auditing.ACTIONS,
        *bills.ACTIONS,
        *books.ACTIONS,
        *enrolment.ACTIONS,
        *help.ACTIONS,
        *helping.ACTIONS,
        *household.ACTIONS,
        *joint_homes.ACTIONS,
        *joint_list.ACTIONS,
        *looking_back.ACTIONS,
        *mandate.ACTIONS,
        *mandate_changing.ACTIONS,
        *mandate_looking.ACTIONS,
        *mandate_purse.ACTIONS,
        *notice_wishes.ACTIONS,
        *operating.ACTIONS,
        *people.ACTIONS,
        *pin.ACTIONS,
    )
}
SPECS = {name: action.spec for name, action in ACTIONS.items()}
