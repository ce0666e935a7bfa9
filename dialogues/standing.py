"""Automatic payments at the counter and in the news: the terms of a talk, what is read back, and what people are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from data.catalogue import Catalogue
from data.clock import shanghai
from data.ids import AccountId, PaymentId, PersonId
from data.model import May
from data.money import Money
from data.store.engine import Tx
from dialogues import clauses, model, saying
from dialogues.actions.ports import bill_name
from dialogues.relations import relation_word
from payments import bill_debits, mandates, resting, warnings
from payments.authority import access, people
from payments.opening import till_account
from payments.purse import relation_of
from payments.quoting import overtaken
from payments.terms import NEVER_ASKED, MandateKind, ProposedMandate, Terms
from payments.till import PaymentView, Till

if TYPE_CHECKING:
    from dialogues.turn import House

FLOW = "tell_mandate"
AGREED = "agreed"
KINDS = frozenset(
    {
        "mandate_unread",
        "mandate_expiring",
        "mandate_expired",
        "mandate_suspended",
        "auto_not_made",
        "still_low",
        "mandate_set_for_you",
        "mandate_stopped_for_you",
        "mandate_paused_for_you",
        "mandate_lowered_for_you",
        "auto_started",
        "auto_posted",
        "auto_for_you",
        "auto_failed",
        "auto_asks",
        "debit_ahead",
        "low_balance",
        "bill_due",
        "warning",
        resting.NEWS,
        resting.GOES_ON,
        "mandate_wakes",
    }
)


# --- at the counter ------------------------------------------------------------------------------------------------


def terms_of(slots: Mapping[str, Any]) -> Terms:
    """The terms a talk has settled: of a prepaid meter a top-up, of a bill its debit."""
    meter = bool(slots.get("prepaid"))
    each = slots["amount"] if meter else slots["per_charge"]
    return Terms(
        kind=MandateKind.TOP_UP if meter else MandateKind.BILL_DEBIT,
        account=AccountId(slots["account_id"]),
        per_charge=Money(int(each)),
        per_month=Money(int(slots["per_month"])),
        valid_until=date.fromisoformat(slots["until"]),
        below=Money(int(slots["below"])) if meter else None,
        amount=Money(int(slots["amount"])) if meter else None,
        per_day=int(slots.get("per_day") or 1),
        ask_above=_asked_from(slots.get("ask_above")),
    )


def _asked_from(said: Any) -> int | None:
    return None if said is None or int(said) == NEVER_ASKED else int(said)


def read_back(proposed: ProposedMandate, words: clauses.Words, comma: str) -> dict[str, Any]:
    """What the read-back says beside the terms: what they would have done with last year's use, as far as it is known."""
    tried = proposed.dry_run
    return {
        "act": proposed.act,
        "digest": proposed.digest,
        "strength": proposed.strength.value,
        "run_times": tried.times if tried else None,
        "run_total": tried.total.fen if tried else None,
        "ask_list": _asked_first(proposed.terms, words),
        **_rising(proposed, words, comma),
    }


def _asked_first(terms: Terms, words: clauses.Words) -> str | None:
    """When the payer is asked before a charge; None: he never is."""
    if terms.ask_above is None:
        return None
    of_meter = terms.kind is MandateKind.TOP_UP
    return words("utter_asked_line", {"ask_above": terms.ask_above, "prepaid": of_meter})


def _rising(proposed: ProposedMandate, words: clauses.Words, comma: str) -> dict[str, Any]:
    """What takes more than before waits 72 hours: from which day it counts, and what holds until then."""
    if proposed.rises_at is None or proposed.until_then is None:
        return {"rises_at": None}
    waiting = clauses.changed(proposed.terms, proposed.until_then)
    return {
        "rises_at": proposed.rises_at.isoformat(),
        "until_then": clauses.in_words(proposed.until_then, waiting, words, comma),
    }


def agreed(talk: model.Conversation) -> dict[str, Any]:
    """What stays to be said after the yes: until when the old terms hold, when some were raised."""
    read = talk.top.context.get("facts", {}) if talk.top else {}
    return {name: read[name] for name in ("rises_at", "until_then") if read.get(name)}


def words(house: House, talk: model.Conversation, facts: model.Facts) -> tuple[str, str]:
    """Exactly what was read back, and which sentence of which release it is."""
    read = talk.top.context.get("facts", {}) if talk.top else {}
    sentence = _read_back_at(house, talk)
    text = saying.plain(house.release, sentence, {**talk.slots, **read}, talk, facts)
    return text, f"{sentence}@{house.release.id}"


def _read_back_at(house: House, talk: model.Conversation) -> str:
    """The sentence of the read-back that is open: of a whole agreement, or of a change to one."""
    assert talk.top is not None, "a yes is given to a business that is open"
    step = house.release.flows[talk.top.flow].steps[talk.top.step]
    return str(step.metadata["commit"]["utter"])


# --- news ----------------------------------------------------------------------------------------------------------


def news_of(
    tx: Tx,
    till: Till,
    catalogue: Catalogue,
    person: PersonId,
    kind: str,
    body: Mapping[str, Any],
    locale: str,
    at: datetime,
) -> model.News | None:
    """One row of such news as an input of the engine; None when it is not so any more."""
    if kind == resting.NEWS:
        return _rests(tx, catalogue, body, locale)
    payment = body.get("payment")
    view = till.outcome(tx, PaymentId(str(payment))) if payment else None
    if view is not None and _overtaken(kind, view):
        return None
    if body.get("warning") and warnings.is_over(tx, str(body["warning"])):
        return None  # the meter was filled, the bill was paid
    if kind == "bill_due" and _bill_over(tx, till, body, at):
        return None
    if _came_or_called_off(tx, kind, body, at):
        return None
    sees = _may_hear(tx, person, AccountId(str(body["account"])), at)
    if not sees and kind in _OF_THE_ACCOUNT:
        return None
    slots = _about(tx, catalogue, body, locale) | _terms_slots(tx, body) | _figures(body) | {"news": kind}
    if not sees:
        slots |= dict.fromkeys(_OF_THE_METER)
    slots |= _person_slots(tx, person, body, locale)
    slots["auto_off"] = bool(body.get("mandate_state"))
    if view is not None:
        slots |= {"payment": view.id, "amount": view.amount.fen}
    slots |= {"last_account": body["account"], "last_at": at.isoformat()}
    return model.News(FLOW, {name: value for name, value in slots.items() if value is not None})


def _rests(tx: Tx, catalogue: Catalogue, body: Mapping[str, Any], locale: str) -> model.News | None:
    """A backup was put back: which of his bills are not paid by themselves until he says so; None when none rests."""
    asleep = {held.id: held for held in resting.at_rest(tx)}
    mine = [till_account(tx, asleep[id].account) for id in body["mandates"] if id in asleep]
    names = dict.fromkeys(bill_name(catalogue, account.utility, locale) for account in mine)
    if not mine:
        return None
    comma = "、" if locale == "zh" else ", "
    slots = {"news": resting.NEWS, "bill_name": comma.join(names), "records_of": body["as_of"]}
    return model.News(FLOW, slots)


# News about somebody's account rather than about one's own money, and the figures that tell how he lives.
_OF_THE_ACCOUNT = frozenset(
    {
        "low_balance",
        "still_low",
        "bill_due",
        "warning",
        "debit_ahead",
        "auto_asks",
        "auto_not_made",
        "mandate_unread",
    }
)
_OF_THE_METER = ("balance", "balance_after", "days_left")


def _may_hear(tx: Tx, person: PersonId, account: AccountId, at: datetime) -> bool:
    """News may have waited for the morning: the leave they rest on must stand when they are told (L6)."""
    return any(access.may(tx, person, verb, account, at) for verb in (May.BILLS, May.NOTICES, May.MANDATE))


def _overtaken(kind: str, view: PaymentView) -> bool:
    """News that waited for the morning may no longer be so (L2)."""
    if kind == "auto_started":
        return view.posted_at is not None or view.told == "refused"
    return kind == "auto_failed" and view.captured_at is not None


def _bill_over(tx: Tx, till: Till, body: Mapping[str, Any], at: datetime) -> bool:
    """A reminder that waited for the morning: its bill was paid meanwhile, is being paid, or its day has passed."""
    account = AccountId(str(body["account"]))
    paid = till.open_payment(tx, account) is not None or overtaken(
        tx, account, datetime.fromisoformat(str(body["read_at"]))
    )
    return paid or shanghai(at).date() > date.fromisoformat(str(body["due_date"]))


def _came_or_called_off(tx: Tx, kind: str, body: Mapping[str, Any], at: datetime) -> bool:
    """News of what is to come are told while it is to come: a debit, the end of an agreement, the day it goes on."""
    if kind == bill_debits.AHEAD:
        return not bill_debits.still_ahead(tx, body, at)
    if kind not in ("mandate_expiring", "mandate_wakes"):
        return False
    held = mandates.read(tx, str(body["mandate"]))
    if kind == "mandate_expiring":
        return held.ended_at is not None or at >= held.valid_until
    until = held.rests_until
    return until is None or at >= until or shanghai(until).date().isoformat() != body["rests_until"]


def _about(tx: Tx, catalogue: Catalogue, body: Mapping[str, Any], locale: str) -> dict[str, Any]:
    account = till_account(tx, AccountId(str(body["account"])))
    biller = catalogue.biller(account.biller)
    return {
        "bill_name": bill_name(catalogue, account.utility, locale),
        "biller_name": biller.name[locale],
        "prepaid": biller.prepaid,
        "holder": account.holder_masked,
        "tail": account.tail,
        "last_utility": str(account.utility),
    }


_FIGURES = {
    "balance": "balance_fen",
    "amount": "amount_fen",
    "balance_after": "balance_after",
    "times": "times_this_month",
    "spent": "spent_fen",
    "per_month": "per_month_fen",
    "per_charge": "per_charge_fen",
    "below": "below_fen",
    "days_left": "days_left",
    "reason": "reason",
    "due_date": "due_date",
    "rests_until": "rests_until",
    "today": "today",
    "each_time": "each_time",
    "changes": "changed",
}


def _figures(body: Mapping[str, Any]) -> dict[str, Any]:
    return {slot: body[key] for slot, key in _FIGURES.items() if body.get(key) is not None}


def _person_slots(tx: Tx, person: PersonId, body: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """Who did it, or whose money it was: the relative by what he is and by name."""
    other = body.get("by") or body.get("payer")
    if not other or other == person:
        return {}
    return {"who": named(tx, person, PersonId(str(other)), locale)}


def named(tx: Tx, person: PersonId, other: PersonId, locale: str) -> str:
    """女儿李敏 as the elder is told of her; the name alone where nothing more is known."""
    name = people.person(tx, other).name
    word = relation_word(relation_of(tx, person, other), locale)
    if locale == "en":
        return f"Your {word} {name}" if word else name
    return f"{word}{name}" if word else name


def _terms_slots(tx: Tx, body: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that were agreed, where the news does not bring others."""
    if not body.get("mandate"):
        return {}
    terms = mandates.read(tx, str(body["mandate"])).terms
    amount = None if terms.amount is None else terms.amount.fen
    return {"amount": amount, "until": terms.valid_until.isoformat()}
