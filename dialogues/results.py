"""News of the till as a conversation understands it: which flow tells it, with which facts, and whom it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from data.catalogue import Catalogue
from data.ids import AccountId, PaymentId, PersonId
from data.model import May
from data.store import letters
from data.store.engine import Tx
from dialogues import model, permissions, standing
from dialogues.actions.ports import bill_name
from dialogues.relations import channel_word, relation_word
from payments import pausing, reconcile
from payments.authority import access
from payments.purse import relation_of
from payments.quoting import overtaken
from payments.till import PaymentView, Till

# What a flow waiting for its act is told: three things, and the page being open.
_OUTCOMES = {
    "captured": "paid",
    "refused": "refused",
    "stopped": "refused",
    "checking": "checking",
    "held": "checking",  # not sent yet: an operator paused it after the yes
    "needs_human": "checking",
    "waiting_payer": "waiting_payer",
}


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
    """One row of news for one person, as an input of the engine; None when the payment has overtaken it meanwhile."""
    if kind == "handoff":
        return model.News("tell_handoff", {"who": body["who"], "note": body["note"]})
    if kind in permissions.KINDS:
        return permissions.news_of(tx, till, catalogue, person, kind, body, locale, at)
    if kind in standing.KINDS:
        return standing.news_of(tx, till, catalogue, person, kind, body, locale, at)
    if kind == reconcile.NEWS:
        return model.News(
            "tell_differences", {"statement_day": body["day"], "difference_ids": body["differences"]}
        )
    if kind == pausing.CAN_PAY_AGAIN:
        return _ready(tx, till, catalogue, person, AccountId(body["account"]), body, locale, at)
    view = till.outcome(tx, PaymentId(body["payment"]))
    if _overtaken(kind, view):
        return None
    slots = payment_slots(view, catalogue, locale) | {"news": kind}
    if body.get("reason"):
        slots["reason"] = body["reason"]
    if kind == "captured_for_you":
        slots |= _from_or_for(tx, person, view, body, locale)
    # Whoever said yes waits for what became of it; nobody else has a talk that stands at this act.
    outcome = _OUTCOMES.get(kind, "")
    lines = till.act(tx, view.act).payments
    if len(lines) == 1 or not outcome:
        return model.News("tell_result", slots, act=str(body["act"]), outcome=outcome)
    return model.News(
        "tell_line", slots, act=str(body["act"]), outcome=outcome if _all_told(tx, person, lines) else ""
    )


def _ready(
    tx: Tx,
    till: Till,
    catalogue: Catalogue,
    person: PersonId,
    account_id: AccountId,
    body: dict[str, Any],
    locale: str,
    at: datetime,
) -> model.News | None:
    """Paying works again; None when he may not see the bill any more, or it was paid or begun meanwhile (L6)."""
    account = access.open_account(tx, person, May.BILLS, account_id, at)
    since = datetime.fromisoformat(str(body["since"]))
    if account is None or till.open_payment(tx, account_id) or overtaken(tx, account_id, since):
        return None
    return model.News(
        "tell_ready",
        {
            "account_id": account.id,
            "utility": account.utility.value,
            "bill_name": bill_name(catalogue, account.utility, locale),
            "biller_name": catalogue.biller(account.biller).name[locale],
            "tail": account.tail,
            "holder": account.holder_masked,
        },
    )


def _all_told(tx: Tx, person: PersonId, lines: Sequence[PaymentId]) -> bool:
    """Whether something certain has been told of every line of an act: then the talk that waits for it goes on."""
    return all(
        letters.any_news_served(tx, [f"{kind}:{line}:{person}" for kind in _OUTCOMES]) for line in lines
    )


def _overtaken(kind: str, view: PaymentView) -> bool:
    """News that waited for the morning may no longer be so: "nothing was taken" after late money would be a lie (L2)."""
    if kind in ("refused", "stopped", "checking", "waiting_payer") and view.captured_at is not None:
        return True
    if kind == "held":
        return view.state != "confirmed"
    return kind in ("checking", "waiting_payer") and view.told == "refused"


def payment_slots(view: PaymentView, catalogue: Catalogue, locale: str) -> dict[str, Any]:
    """A payment as slots: what it was for and how much, never the account number."""
    biller = catalogue.biller(view.biller)
    return {
        "payment": view.id,
        "amount": view.amount.fen,
        "bill_name": bill_name(catalogue, view.utility, locale),
        "biller_name": biller.name[locale],
        "prepaid": biller.prepaid,
        "holder": view.holder_masked,
        "tail": view.tail,
        "reason": view.reason,
        "link": view.hosted_url,
    }


def _from_or_for(
    tx: Tx, person: PersonId, view: PaymentView, body: dict[str, Any], locale: str
) -> dict[str, Any]:
    """Somebody else acted: with this person's purse, or for this person's household (L7)."""
    by = PersonId(body["by"])
    word = relation_word(relation_of(tx, person, by), locale)
    anybody = "有人" if locale == "zh" else "Somebody"
    if word:
        word = f"Your {word}" if locale == "en" else f"您{word}"
    from_you = view.payer == person
    return {
        "news": "captured_from_you" if from_you else "captured_for_you",
        "who": word or anybody,
        "how": channel_word(str(body["channel"]), locale),
    }
