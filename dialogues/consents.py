"""A yes asked of somebody, given, refused, late or not given at all, and a bill put before a relative, as talks hear of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from data.catalogue import Catalogue
from data.clock import shanghai
from data.ids import AccountId, ActId, PersonId
from data.model import Account, May, Utility
from data.money import Money
from data.store.engine import Tx
from dialogues import model
from dialogues.actions.ports import bill_name
from dialogues.naming import named
from payments import approving, let_stand, pay_requests
from payments.acts import ActView, Strength
from payments.authority import access
from payments.opening import till_account
from payments.states import ActState
from payments.till import Till

KINDS = approving.KINDS | pay_requests.KINDS | {let_stand.RIPE}
_ENDS = approving.KINDS - {approving.ASKED, approving.LATE}
_A_BREATH = 3  # bills a telephone names between two stops


def news_of(
    tx: Tx,
    till: Till,
    catalogue: Catalogue,
    person: PersonId,
    kind: str,
    body: dict[str, Any],
    locale: str,
    at: datetime,
) -> model.News | None:
    """One row of such news as an input of the engine; None when the matter is over meanwhile."""
    if kind in pay_requests.KINDS:
        return _request(tx, catalogue, person, kind, body, locale, at)
    if kind == let_stand.RIPE:
        return _ripe(tx, catalogue, person, body, locale, at)
    found = till.act(tx, ActId(body["act"]))
    slots = act_slots(tx, catalogue, found, locale) | {"news": kind}
    slots["who"] = _who(tx, found, person, kind, body, locale)
    if kind == approving.ASKED:
        # It may have waited for the morning: who may not decide any more hears nothing of the bill (L6).
        if found.state is not ActState.APPROVAL_WAIT or person not in approving.deciders(tx, found, at):
            return None
        return model.News("approve_payment", slots)
    if kind == approving.LATE:
        return model.News("late_yes", slots)
    if kind == approving.EXPIRED and _may_let_stand(tx, found, person, at):
        return model.News("let_it_stand", slots)
    over = model.OVER if kind in _ENDS else ""
    return model.News("tell_permission", slots, act=found.id, outcome=over)


def _who(tx: Tx, found: ActView, person: PersonId, kind: str, body: dict[str, Any], locale: str) -> str:
    """Who did what is told; where nobody did anything, the one on the other side."""
    if body.get("who"):
        return named(tx, person, PersonId(body["who"]), locale)
    if kind == approving.EXPIRED and found.evidence is not None:
        return "家里人" if locale == "zh" else "Your family"  # any of them could have answered
    return named(tx, person, found.payer if person == found.proposer else found.proposer, locale)


def _may_let_stand(tx: Tx, found: ActView, person: PersonId, at: datetime) -> bool:
    """His own money for a first payment, his own yes given, and no relative answered: he may let it stand (settled 5)."""
    his_own = found.proposer == found.payer == found.confirmer == person
    waited = found.strength is Strength.APPROVAL and found.evidence is not None
    return his_own and waited and all(access.may(tx, person, May.PAY, x.account, at) for x in found.lines)


def _ripe(
    tx: Tx, catalogue: Catalogue, person: PersonId, body: dict[str, Any], locale: str, at: datetime
) -> model.News | None:
    """A day has passed over what he let stand, as far as he has not ended it and may still pay it."""
    mine = [one for one in let_stand.living(tx, person, at) if one.id in body["standing"]]
    still = [one for one in mine if access.may(tx, person, May.PAY, one.account, at)]
    if not still:
        return None
    bills = [(one.account, one.amount) for one in still]
    return model.News("first_payment_ripe", bill_slots(tx, catalogue, bills, locale))


def _request(
    tx: Tx, catalogue: Catalogue, person: PersonId, kind: str, body: dict[str, Any], locale: str, at: datetime
) -> model.News | None:
    """A relative is asked to pay a bill, or will not; whoever may not pay it any more hears nothing of it (L6)."""
    who, fen = named(tx, person, PersonId(body["who"]), locale), body["fen"]
    told = bill_slots(tx, catalogue, [(AccountId(body["account"]), Money(int(fen or 0)))], locale)
    if kind == pay_requests.DECLINED:
        return model.News("tell_permission", {"news": kind, "who": who, "bill_name": told["bill_name"]})
    if not pay_requests.still_asked(tx, person, body, at):
        return None
    return model.News("asked_to_pay", told | {"who": who, "asker": body["who"], "amount": fen})


# --- what it is about -----------------------------------------------------------------------------------------------


def act_slots(tx: Tx, catalogue: Catalogue, found: ActView, locale: str) -> dict[str, Any]:
    """What an act is about: which bills of whom and how much in all, never an account number."""
    bills = [(line.account, line.amount) for line in found.lines]
    return {"act_id": found.id, **bill_slots(tx, catalogue, bills, locale)}


def bill_slots(
    tx: Tx, catalogue: Catalogue, bills: list[tuple[AccountId, Money]], locale: str
) -> dict[str, Any]:
    """One or several bills as slots; of several a list with a line each, besides the total."""
    shown = [(till_account(tx, account), amount) for account, amount in bills]
    first = shown[0][0]
    names = dict.fromkeys(bill_name(catalogue, Utility(a.utility), locale) for a, _ in shown)
    lines = [_line(catalogue, account, amount, locale) for account, amount in shown]
    several = len(bills) > 1
    return {
        "amount": sum(amount.fen for _, amount in bills),
        "bill_name": (", " if locale == "en" else "、").join(names),
        "biller_name": catalogue.biller(first.biller).name[locale],
        "prepaid": catalogue.biller(first.biller).prepaid,
        "holder": first.holder_masked,
        "tail": first.tail,
        "again_account": None if several else first.id,
        "act_list": "\n".join(lines) if several else None,
        "act_list_spoken": _breaths(lines, locale) if several else None,
        "act_count": len(bills) if several else None,
    }


def _line(catalogue: Catalogue, account: Account, amount: Money, locale: str) -> str:
    name = bill_name(catalogue, Utility(account.utility), locale)
    if locale == "en":
        return f"{name} of {account.holder_masked}, {amount.yuan} yuan"
    return f"{account.holder_masked}{name}{amount}"


def _breaths(lines: list[str], locale: str) -> str:
    comma, stop = (", ", ". ") if locale == "en" else ("，", "。")
    return stop.join(comma.join(lines[n : n + _A_BREATH]) for n in range(0, len(lines), _A_BREATH))


def instant(at: datetime, locale: str) -> str:
    """A moment as people say it: 3月11日9点05分."""
    local = shanghai(at)
    if locale == "en":
        return f"{local:%d %B at %H:%M}"
    minutes = f"{local.minute:02}分" if local.minute else ""
    return f"{local.month}月{local.day}日{local.hour}点{minutes}"
