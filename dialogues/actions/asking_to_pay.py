"""Asking a relative to pay: who can be asked, the request on his own channel, and his no."""

from __future__ import annotations

from data.clock import is_quiet
from data.ids import AccountId, PersonId
from data.model import May, Role
from data.money import Money
from dialogues.actions.ports import Arguments, Inside, Result, inside
from dialogues.naming import is_called, named
from payments import pay_requests
from payments.authority import looks, people


@inside(
    "action_who_pays",
    "one several nobody",
    reads="account_id pay_who pay_choice",
    writes="pay_other pay_choices who",
)
def who_pays(room: Inside, slots: Arguments) -> Result:
    """The relative who was named, the only one there is, or a choice of them."""
    able = pay_requests.who_can(room.tx, room.person, AccountId(str(slots["account_id"])), room.now)
    if slots.get("pay_choice"):
        able = tuple(p for p in able if p == slots["pay_choice"])
    found = tuple(p for p in able if is_called(room.tx, room.person, p, str(slots.get("pay_who")))) or able
    if not found:
        return Result("nobody")
    names = {p: named(room.tx, room.person, p, room.locale) for p in found}
    if len(found) > 1:
        return Result("several", {"pay_choices": {p: [name] for p, name in names.items()}})
    return Result("one", {"pay_other": found[0], "who": names[found[0]]})


@inside("action_ask_to_pay", "asked asked_by_day before gone", reads="account_id pay_other due prepaid")
def ask_to_pay(room: Inside, slots: Arguments) -> Result:
    """The relative is asked on his own channel; in the evening that is tomorrow morning (L12)."""
    account, due = AccountId(str(slots["account_id"])), None if slots.get("prepaid") else slots.get("due")
    new = pay_requests.ask(
        room.tx,
        room.person,
        PersonId(str(slots["pay_other"])),
        account,
        None if due is None else Money(int(due)),
        room.now,
    )
    if new is None:
        return Result("gone")
    if not new:
        return Result("before")
    return Result("asked_by_day" if is_quiet(room.now) else "asked")


@inside("action_decline_to_pay", "told", reads="again_account asker", writes="again_account asker")
def decline_to_pay(room: Inside, slots: Arguments) -> Result:
    """A relative who will not pay owes nobody a reason; who asked is told."""
    account, asker = AccountId(str(slots["again_account"])), PersonId(str(slots["asker"]))
    pay_requests.decline(room.tx, room.person, asker, account, room.now)
    return Result("told", {"again_account": None, "asker": None})


@inside("action_linked_already", "pays no", reads="invite_who invite_may", writes="pay_who")
def linked_already(room: Inside, slots: Arguments) -> Result:
    """让我女儿帮我交费 of somebody whose daughter may do so already: then it is this bill that is meant, not a new leave."""
    word = slots.get("invite_who")
    if slots.get("invite_may") != "pay" or word == "helper":
        return Result("no")
    pay = [link.taker for link in looks.given_by(room.tx, room.person, room.now) if May.PAY in link.verbs]
    family = [p for p in pay if people.person(room.tx, p).role is Role.FAMILY]
    if not any(word is None or is_called(room.tx, room.person, p, str(word)) for p in family):
        return Result("no")
    return Result("pays", {"pay_who": word})


ACTIONS = (who_pays, ask_to_pay, decline_to_pay, linked_already)
