"""What is arranged to go wrong, and for which call."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, insert, or_, select, update

from integrations.ports import Reason
from integrations.sandbox.control_wire import FaultKind, FaultRequest, Side
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.moment import Moment, Refusal

# What a fault concerns when nobody says which operation: what moves money or decides about it. `down` concerns all.
_USUAL = {
    Side.RAIL: frozenset({"charge", "start"}),
    Side.BILLER: frozenset({"query", "post"}),
}
# On a question these would only be a slow answer, so by default they wait for the posting.
_ONLY_POST = frozenset({FaultKind.TIMEOUT_THEN_PAID_AFTER, FaultKind.LOST_ANSWER, FaultKind.HALF_ANSWER})
VERDICTS = {
    FaultKind.DECLINED: Reason.DECLINED,
    FaultKind.DECLINED_BY_BILLER_MAINTENANCE: Reason.BILLER_DOWN,
    FaultKind.INSUFFICIENT_FUNDS: Reason.INSUFFICIENT_FUNDS,
}
CALLBACK_STYLES = frozenset({FaultKind.DUPLICATE_CALLBACK, FaultKind.WRONG_SIGNATURE, FaultKind.NO_CALLBACK})


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call is about."""

    side: Side
    operation: str
    biller: str = ""
    number: str = ""
    key: str = ""  # order or refund number


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault that strikes this call. `seconds` by the town's clock."""

    kind: FaultKind
    seconds: float


def arrange(moment: Moment, request: FaultRequest) -> None:
    """Remember a fault. Raises Refusal for an account that is not in town."""
    biller = number = None
    if request.account is not None:
        row = moment.db.execute(select(t.accounts).where(t.accounts.c.id == request.account)).first()
        if row is None:
            raise Refusal(Reason.ACCOUNT_NOT_FOUND, "No such account in town.", 404)
        biller, number = row.biller, row.number
    aimed = request.account is not None or request.order is not None
    uses = request.uses or (None if aimed or request.kind is FaultKind.DOWN else 1)
    moment.db.execute(
        insert(t.faults).values(
            side=request.side.value,
            kind=request.kind.value,
            seconds=request.seconds,
            biller=biller,
            # A rail knows the payee and no account, so there the biller stands for the account.
            number=number if request.side is Side.BILLER else None,
            order=request.order,
            operation=request.operation,
            uses=uses,
        )
    )


def clear(moment: Moment, side: Side | None) -> None:
    """Everything (of one side) works again."""
    moment.db.execute(delete(t.faults).where(t.faults.c.side == side.value if side else t.faults.c.id > 0))


def count(moment: Moment) -> int:
    """How many faults are arranged and not used up."""
    return int(moment.db.scalar(select(func.count()).select_from(t.faults)) or 0)


def down(moment: Moment, side: Side) -> bool:
    """Whether this whole side is down."""
    wanted = (t.faults.c.side == side.value) & (t.faults.c.kind == FaultKind.DOWN.value)
    nobody = t.faults.c.biller.is_(None) & t.faults.c.order.is_(None)
    return moment.db.execute(select(t.faults.c.id).where(wanted & nobody)).first() is not None


def take(moment: Moment, subject: Subject) -> Fault | None:
    """The oldest fault that concerns this call, one use of it spent."""
    f = t.faults.c
    wanted = (
        (f.side == subject.side.value)
        & or_(f.biller.is_(None), f.biller == subject.biller)
        & or_(f.number.is_(None), f.number == subject.number)
        & or_(f.order.is_(None), f.order == subject.key)
    )
    for row in moment.db.execute(select(t.faults).where(wanted).order_by(f.id)):
        if _concerns(FaultKind(row.kind), row.operation, subject):
            _spend(moment, row.id, row.uses)
            return Fault(FaultKind(row.kind), row.seconds)
    return None


def _concerns(kind: FaultKind, operation: str | None, subject: Subject) -> bool:
    if operation is not None:
        return operation == subject.operation
    if kind is FaultKind.DOWN:
        return True
    if subject.side is Side.BILLER and kind in _ONLY_POST:
        return subject.operation == "post"
    if subject.side is Side.RAIL and (kind in VERDICTS or kind is FaultKind.PENDING):
        return subject.operation == "charge"
    return subject.operation in _USUAL[subject.side]


def _spend(moment: Moment, fault: int, uses: int | None) -> None:
    if uses is None:
        return
    if uses <= 1:
        moment.db.execute(delete(t.faults).where(t.faults.c.id == fault))
    else:
        moment.db.execute(update(t.faults).where(t.faults.c.id == fault).values(uses=uses - 1))
