"""A day's file beside our book, by our own numbers: every way in which they can differ has a name.

Pure: nothing is read or written here, nothing is assumed. A row that says more than we know makes the till ask; only
what the counterparty then answers changes a payment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from data.ids import OrderNumber, PaymentId
from data.money import Money
from integrations.ports import StatementRow
from payments.states import State

_FEN_IN_YUAN = 100


class Party(StrEnum):
    """Who sends us a file every day."""

    RAIL = "rail"
    BILLERS = "billers"


class Kind(StrEnum):
    """What differs."""

    NOT_THERE = "not_there"  # our book has it, their file does not
    NEVER_MADE = "never_made"  # a number that is none of ours
    TWICE = "twice"  # the same number once more
    AMOUNT = "amount"  # another amount
    YUAN_FEN = "yuan_fen"  # a hundred times or a hundredth of ours: somebody took yuan for fen
    NOT_KNOWN = "not_known"  # it happened there, and we have not heard yet: the till asks
    LATE_MONEY = "late_money"  # collected although the order had ended: the till asks and gives it back
    REFUND_NOT_OURS = "refund_not_ours"  # given back, and we had not asked for that
    POST_NOT_OURS = "post_not_ours"  # written off, and we have not collected it or are giving it back
    NOT_POSTED = "not_posted"  # collected and not written off
    FILE_AGAIN = "file_again"  # another day's file under this day's name
    FILE_LATE = "file_late"  # no file, long after it should have come


# What the till can clear up by asking; the counterparty's answer decides, not the file.
ASKED_ABOUT = frozenset({Kind.NOT_KNOWN, Kind.LATE_MONEY, Kind.NOT_POSTED})


@dataclass(frozen=True, slots=True)
class Ours:
    """A payment as far as a comparison needs it."""

    id: PaymentId
    number: OrderNumber
    amount: Money
    state: State
    sent_at: datetime | None
    captured_at: datetime | None
    posted_at: datetime | None
    refunded_at: datetime | None

    def happened(self, kind: str) -> datetime | None:
        """When the book says this movement happened, None when it does not."""
        return {"capture": self.captured_at, "post": self.posted_at, "refund": self.refunded_at}[kind]

    def begun(self, kind: str) -> datetime | None:
        """The earliest instant at which the other side can have it in its file."""
        return self.sent_at if kind == "capture" else self.captured_at


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. `detail` tells two of the same kind about one number apart."""

    party: Party
    kind: Kind
    number: OrderNumber
    payment: PaymentId | None = None
    ours: Money | None = None
    theirs: Money | None = None
    detail: str = ""


def of_rows(
    party: Party,
    rows: Sequence[StatementRow],
    known: Mapping[OrderNumber, Ours],
    elsewhere: Iterable[StatementRow] = (),
) -> Iterator[Difference]:
    """What a file says that our book does not. `elsewhere`: rows of the same numbers in files of other days.

    A row that stands word for word in two days' files is one movement around midnight, told twice; twice in one file,
    or at another instant, is once too often.
    """
    others = defaultdict(list)
    for row in elsewhere:
        others[row.order, row.kind].append(row)
    groups: defaultdict[tuple[OrderNumber, str], list[StatementRow]] = defaultdict(list)
    for row in rows:
        groups[row.order, row.kind].append(row)
    for key, here in groups.items():
        yield from _of_movement(party, here, others[key], known.get(key[0]))


def _of_movement(
    party: Party, here: list[StatementRow], others: list[StatementRow], ours: Ours | None
) -> Iterator[Difference]:
    times = Counter(here)
    told = sorted({*here, *others}, key=lambda row: (row.at, row.amount))
    for row in told:
        for n in range(2, times[row] + 1):
            yield _difference(party, Kind.TWICE, row, ours, f"{row.kind} {row.at.isoformat()} {n}")
        if row is not told[0]:
            yield _difference(party, Kind.TWICE, row, ours, f"{row.kind} {row.at.isoformat()}")
    kind = _kind(told[0], ours)
    if kind is not None:
        yield _difference(party, kind, told[0], ours, _detail(kind, told[0]))


def _difference(party: Party, kind: Kind, row: StatementRow, ours: Ours | None, detail: str) -> Difference:
    mine = ours.id if ours else None
    amount = ours.amount if ours else None
    return Difference(party, kind, row.order, mine, amount, row.amount, detail)


def _detail(kind: Kind, row: StatementRow) -> str:
    spoken_of = kind in (Kind.AMOUNT, Kind.YUAN_FEN, Kind.NEVER_MADE)
    return f"{row.kind} {row.amount.fen}" if spoken_of else row.kind


def _kind(row: StatementRow, ours: Ours | None) -> Kind | None:
    if ours is None:
        return Kind.NEVER_MADE
    if row.amount != ours.amount:
        return _amount_kind(ours.amount.fen, row.amount.fen)
    if ours.happened(row.kind) is not None:
        return None
    match row.kind:
        case "capture":
            return Kind.LATE_MONEY if ours.state in (State.FAILED, State.CANCELLED) else Kind.NOT_KNOWN
        case "refund":
            return Kind.NOT_KNOWN if ours.state is State.REFUNDING else Kind.REFUND_NOT_OURS
        case _:
            return Kind.NOT_KNOWN if _being_posted(ours) else Kind.POST_NOT_OURS


def _amount_kind(ours: int, theirs: int) -> Kind:
    mixed_up = theirs == ours * _FEN_IN_YUAN or ours == theirs * _FEN_IN_YUAN
    return Kind.YUAN_FEN if mixed_up else Kind.AMOUNT


def _being_posted(ours: Ours) -> bool:
    on_its_way = (State.PAID, State.POSTING, State.POST_UNKNOWN, State.NEEDS_HUMAN)
    return ours.captured_at is not None and ours.state in on_its_way


def not_posted(payments: Iterable[Ours], posted: Iterable[OrderNumber]) -> Iterator[Difference]:
    """Money that was collected and that the biller's files do not show as written off."""
    theirs = frozenset(posted)
    for ours in payments:
        if ours.posted_at is None and _being_posted(ours) and ours.number not in theirs:
            yield Difference(Party.BILLERS, Kind.NOT_POSTED, ours.number, ours.id, ours.amount)


def not_there(
    party: Party, kind: str, payments: Iterable[Ours], stated: Iterable[OrderNumber]
) -> Iterator[Difference]:
    """Movements of the book that no file shows; whoever calls has waited for every file that may still show them."""
    theirs = frozenset(stated)
    for ours in payments:
        if ours.number not in theirs:
            yield Difference(party, Kind.NOT_THERE, ours.number, ours.id, ours.amount, None, kind)
