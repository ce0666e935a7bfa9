"""What a playground does to the book and testifies about it: a line changed by hand, receipts given out, open differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.ids import PaymentId
from data.store import journal
from data.store.engine import Tx
from data.store.payments import ledger as lines
from data.store.payments import payments
from dialogues.testing.world import Unsupported, WorldFacts
from payments import differences, ledger, receipts

if TYPE_CHECKING:
    from bot.playground import Playground

_TROUBLE = ("unknown", "post_unknown", "post_failed", "refunding", "needs_human", "posting", "paid")


@dataclass(frozen=True, slots=True)
class Tampered:
    """The line a script changed, and the codes of the receipts that people held by then."""

    line: int
    codes: Mapping[PaymentId, str]


async def tamper(world: Playground, value: Mapping[str, Any]) -> None:
    """Somebody with the database in his hands changes an amount. `row` is a line, in a shorter book its last one."""
    if value.get("table") != "ledger":
        raise Unsupported(f"given.tamper.{value.get('table')}")

    def change(tx: Tx) -> Tampered:
        line = min(int(value["row"]), ledger.lines_in(tx))
        held = Tampered(line, _codes(tx))
        of_line = sa.update(lines).where(lines.c.seq == line)
        assert tx.conn.execute(of_line.values(amount_fen=int(value["fen"]))).rowcount == 1, "an empty book"
        return held

    world.tampered = await world.app.store.run(change)


def _codes(tx: Tx) -> dict[PaymentId, str]:
    written_off = sa.select(payments.c.id).where(payments.c.posted_at.is_not(None))
    found = {PaymentId(p): receipts.code_of(tx, PaymentId(p)) for p in tx.conn.scalars(written_off)}
    return {payment: code for payment, code in found.items() if code}


def told(tx: Tx, facts: WorldFacts, tampered: Tampered | None) -> WorldFacts:
    """The facts with what the receipts say now. A book that a script spoilt must be broken there and nowhere else."""
    codes = _codes(tx) if tampered is None else tampered.codes
    checked = {str(p): _outcome(receipts.check(tx, code).verdict) for p, code in codes.items()}
    facts = replace(facts, more={**facts.more, "receipt_check": checked})
    if tampered is None:
        return facts
    found = {b.seq for b in ledger.verify(tx)}
    rest = [each for each in facts.broken if not each.startswith("M-I8 the book")]
    return replace(facts, ledger_ok=found == {tampered.line} and not journal.verify(tx), broken=rest)


def _outcome(verdict: str) -> str:
    return {receipts.HOLDS: "holds", receipts.TAMPERED: "fails_loudly"}.get(verdict, verdict)


def open_exceptions(tx: Tx) -> int:
    """Payments that are not over although money moved, and whatever else a statement left open, each once."""
    open_ones = {f.payment or f.id for f in differences.listed(tx)}
    trouble = sa.select(payments.c.id).where(payments.c.state.in_(_TROUBLE))
    return len({*open_ones, *tx.conn.scalars(trouble)})


def day_of(value: Any) -> date:
    """The day of an event as a script writes it."""
    return value if isinstance(value, date) else date.fromisoformat(str(value))
