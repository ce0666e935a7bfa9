"""A house beside the files its rail and billers send, and what a test spoils of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from data.clock import SHANGHAI, shanghai
from data.money import Money
from data.store import letters
from data.store.engine import Tx
from integrations.ports import OutcomeUnknown, Reason, Refused, StatementRow
from payments import differences
from payments.comparing import Kind, Party
from payments.differences import Found
from payments.reconcile import Reconciled, Reconciliation
from tests.payments.household import CHENGFS, CHENM, LIMIN, House

TODAY = date(2026, 3, 10)
TOMORROW = TODAY + timedelta(days=1)


@dataclass
class Files:
    """A party's files: the truth of the town, with what a test spoils of it."""

    house: House
    kinds: tuple[str, ...]
    instead: dict[date, list[StatementRow]] = field(default_factory=dict)
    late: set[date] = field(default_factory=set)
    unreadable: set[date] = field(default_factory=set)

    def true(self, day: date) -> list[StatementRow]:
        return [
            row for row in self.house.town.book if shanghai(row.at).date() == day and row.kind in self.kinds
        ]

    async def statement(self, day: date) -> AsyncIterator[StatementRow]:
        if day in self.late:
            raise Refused(Reason.NOT_READY)
        if day in self.unreadable:
            raise OutcomeUnknown(Reason.UNKNOWN)
        for row in self.instead.get(day, self.true(day)):
            yield row


class Books:
    """The house with both files and the comparison over them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.rail = Files(house, ("capture", "refund"))
        self.billers = Files(house, ("post",))
        self.comparison = Reconciliation(house.store, self.rail, self.billers, house.clock, house.limits)

    async def night_of(self, day: date = TODAY) -> Reconciled:
        """The comparison of a day, the night after it."""
        after = datetime(day.year, day.month, day.day, 3, tzinfo=SHANGHAI) + timedelta(days=1)
        self.house.clock.at = max(self.house.now, after.astimezone(UTC))
        return await self.comparison.run(day)

    def open(self) -> list[Found]:
        return self.house.store.run_now(differences.listed)

    def kinds(self) -> list[tuple[Party, Kind]]:
        return [(f.party, f.kind) for f in self.open()]

    def state(self) -> tuple[object, ...]:
        """Everything a comparison may change."""
        every = self.house.store.run_now(lambda tx: differences.listed(tx, closed=True))
        tickets = self.house.store.run_now(letters.tickets_open)
        news = [self.house.news(p) for p in (LIMIN, CHENM, CHENGFS)]
        rows = self.house.store.run_now(_payment_rows)
        return every, tickets, news, rows, self.house.audit()


def _payment_rows(tx: Tx) -> list[object]:
    return list(tx.conn.exec_driver_sql("SELECT id, state, next_at FROM payments ORDER BY id").all())


def changed(row: StatementRow, fen: int) -> StatementRow:
    return replace(row, amount=Money(fen))
