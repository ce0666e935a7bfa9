"""Taking less than was agreed: at once, with one word and no second factor, because nobody can lose by it.

Whoever may stop an automatic payment may lower it too. More of anything is a new agreement (`agreeing`).
"""

from __future__ import annotations

from datetime import datetime

from data.catalogue import Catalogue
from data.ids import PersonId
from data.store.engine import Tx
from payments.acts import Refusal
from payments.agreeing import terms_refused
from payments.limits import Limits
from payments.mandates import LIVE, Mandate, NoSuchMandate, note, read
from payments.rising import raised
from payments.stopping import audit, call_back_above, may_stop, tell_the_others
from payments.terms import Clauses, MandateKind, Terms


def take_less(
    tx: Tx,
    mandate: str,
    by: PersonId,
    at: datetime,
    clauses: Clauses,
    *,
    limits: Limits,
    catalogue: Catalogue,
) -> Terms | Refusal:
    """Lowers clauses of a live mandate; gives the terms as they stand then, or why nothing was changed."""
    try:
        held = read(tx, mandate, hold=True)
    except NoSuchMandate:
        return Refusal("no_mandate")
    wanted = clauses.of(held.terms)
    reason = _refused(tx, held, wanted, by, at, limits, catalogue)
    if reason is not None:
        return Refusal(reason, account=held.account, mandate=held.id)
    _write(tx, held, wanted, by, at)
    return wanted


def _refused(
    tx: Tx,
    held: Mandate,
    wanted: Terms,
    by: PersonId,
    at: datetime,
    limits: Limits,
    catalogue: Catalogue,
) -> str | None:
    if held.state not in LIVE or not may_stop(tx, held, by, at):
        return "no_mandate"
    if wanted == held.terms:
        return "same"
    if raised(wanted, held.terms):
        return "higher"
    if held.terms.kind is MandateKind.BILL_DEBIT and wanted.amount is not None:
        return "not_prepaid"
    return terms_refused(tx, wanted, held.biller, at, limits, catalogue)


def _write(tx: Tx, held: Mandate, wanted: Terms, by: PersonId, at: datetime) -> None:
    note(
        tx,
        held.id,
        per_charge_fen=wanted.per_charge.fen,
        per_month_fen=wanted.per_month.fen,
        per_day=wanted.per_day,
        ask_above=wanted.ask_above,
        below_fen=wanted.below.fen if wanted.below else None,
        amount_fen=wanted.amount.fen if wanted.amount else None,
        updated_at=at,
    )
    call_back_above(tx, held, wanted.per_charge, wanted.per_month, at)
    audit(tx, "mandate_changed", held, by, at, _now(wanted) | _before(held.terms))
    about = f"{held.id}:{at.isoformat()}"
    tell_the_others(tx, held, by, "mandate_lowered_for_you", about, at, **_figures(wanted))


def _figures(terms: Terms) -> dict[str, int | None]:
    """The terms as they stand now, for the news."""
    below = {"below_fen": terms.below.fen} if terms.below else {}
    return _now(terms) | below


def _now(terms: Terms) -> dict[str, int | None]:
    return {"per_charge_fen": terms.per_charge.fen, "per_month_fen": terms.per_month.fen}


def _before(terms: Terms) -> dict[str, int | None]:
    """All that counted until now: charges made before rest on it, and whoever looks back can put it together again."""
    return {
        "before_fen": terms.per_month.fen,
        "charge_before_fen": terms.per_charge.fen,
        "per_day_before": terms.per_day,
        "ask_above_before": terms.ask_above,
        "below_before_fen": terms.below.fen if terms.below else None,
        "amount_before_fen": terms.amount.fen if terms.amount else None,
    }
