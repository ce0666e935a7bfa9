"""What is arranged to go wrong, by hand or by chance, and for which call."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, or_, select, update

from integrations.ports import Reason
from integrations.sandbox.control_wire import FaultRequest, SeedRequest, Side
from integrations.sandbox.fault_kinds import BY_CHANCE, CALLBACK_FAULTS, FaultKind
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.moment import Moment, Refusal

# What a fault concerns when nobody says which operation: what moves money or decides about it. `down` concerns all.
_USUAL = {
    Side.RAIL: frozenset({"charge", "start"}),
    Side.BILLER: frozenset({"query", "balances", "post"}),
}
# On a question these would only be a slow answer, so by default they wait for the posting.
_ONLY_POST = frozenset(
    {
        FaultKind.TIMEOUT_THEN_PAID_AFTER,
        FaultKind.LOST_ANSWER,
        FaultKind.HALF_ANSWER,
        FaultKind.WRONG_LENGTH,
        FaultKind.ANOTHER_ORDER,
        FaultKind.MISSING_FIELDS,
        FaultKind.UNKNOWN_FIELDS,
        FaultKind.WRONG_ANSWER_SIGNATURE,
    }
)
_ONLY_CHARGE = frozenset({FaultKind.PENDING, FaultKind.MONEY_AFTER_THE_END})
_LASTING = frozenset({FaultKind.DOWN, FaultKind.HEALTH_DOWN})
# What chance strikes: everything that moves something, and the questions about it.
_STRUCK_BY_CHANCE = {
    Side.RAIL: frozenset({"charge", "start", "status", "close", "refund", "refund_status"}),
    Side.BILLER: frozenset({"post", "post_status"}),
}
VERDICTS = {
    FaultKind.DECLINED: Reason.DECLINED,
    FaultKind.DECLINED_BY_BILLER_MAINTENANCE: Reason.BILLER_DOWN,
    FaultKind.INSUFFICIENT_FUNDS: Reason.INSUFFICIENT_FUNDS,
}
_OF_RAILS = CALLBACK_FAULTS | {FaultKind.MONEY_AFTER_THE_END}
_CLOCKS = {FaultKind.CLOCK_AHEAD: 1, FaultKind.CLOCK_BEHIND: -1}
_CHANCE_SECONDS = (5, 40, 90, 400)  # how late what chance puts off is executed


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

    @property
    def style(self) -> str:
        """A callback fault as the order remembers it: its name, and how wrong the clock is."""
        sign = _CLOCKS.get(self.kind)
        return self.kind.value if sign is None else f"{self.kind.value}:{sign * self.seconds:g}"


def skew_seconds(style: str) -> float:
    """How far ahead the rail's clock is for an order of this style; 0 for every other."""
    name, _, seconds = style.partition(":")
    return float(seconds) if seconds and FaultKind(name) in _CLOCKS else 0.0


def arrange(moment: Moment, request: FaultRequest) -> None:
    """Remember a fault. Raises Refusal for an account that is not in town, or what no biller can do."""
    if request.side is Side.BILLER and request.kind in _OF_RAILS:
        raise Refusal(Reason.CONFIG, "Only a rail can go wrong in this way.", 409)
    biller = number = None
    if request.account is not None:
        row = moment.db.execute(select(t.accounts).where(t.accounts.c.id == request.account)).first()
        if row is None:
            raise Refusal(Reason.ACCOUNT_NOT_FOUND, "No such account in town.", 404)
        biller, number = row.biller, row.number
    aimed = request.account is not None or request.order is not None
    uses = request.uses or (None if aimed or request.kind in _LASTING else 1)
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
    """Everything (of one side) works again; chance makes no more trouble."""
    moment.db.execute(delete(t.faults).where(t.faults.c.side == side.value if side else t.faults.c.id > 0))
    if side is None:
        moment.db.execute(delete(t.weather))


def count(moment: Moment) -> int:
    """How many faults are arranged and not used up."""
    return int(moment.db.scalar(select(func.count()).select_from(t.faults)) or 0)


def down(moment: Moment, side: Side) -> bool:
    """Whether this whole side is down."""
    wanted = (t.faults.c.side == side.value) & (t.faults.c.kind == FaultKind.DOWN.value)
    nobody = t.faults.c.biller.is_(None) & t.faults.c.order.is_(None)
    return moment.db.execute(select(t.faults.c.id).where(wanted & nobody)).first() is not None


def take(moment: Moment, subject: Subject) -> tuple[Fault | None, Fault | None]:
    """The oldest fault for the answer to this call and the oldest for its callbacks, one use of each spent.

    Where none of a sort is arranged, chance may make one, if it was asked to.
    """
    answer, callback = _first(moment, subject, False), _first(moment, subject, True)
    struck = _by_chance(moment, subject) if answer is None and callback is None else None
    if struck is None:
        return answer, callback
    return (None, struck) if struck.kind in CALLBACK_FAULTS else (struck, None)


def _first(moment: Moment, subject: Subject, callback: bool) -> Fault | None:
    f = t.faults.c
    wanted = (
        (f.side == subject.side.value)
        & or_(f.biller.is_(None), f.biller == subject.biller)
        & or_(f.number.is_(None), f.number == subject.number)
        & or_(f.order.is_(None), f.order == subject.key)
    )
    for row in moment.db.execute(select(t.faults).where(wanted).order_by(f.id)):
        kind = FaultKind(row.kind)
        if (kind in CALLBACK_FAULTS) is callback and _concerns(kind, row.operation, subject):
            _spend(moment, row.id, row.uses)
            return Fault(kind, row.seconds)
    return None


def aimed(moment: Moment, biller: str, numbers: Iterable[str]) -> dict[str, Reason]:
    """Which of many accounts asked about at once a fault of their own strikes, and the reason told; one use of each spent.

    What would spoil the answer to a single question leaves only this account without one.
    """
    f, wanted = t.faults.c, set(numbers)
    theirs = (f.side == Side.BILLER.value) & (f.biller == biller) & f.number.is_not(None)
    struck: dict[str, Reason] = {}
    for row in moment.db.execute(select(t.faults).where(theirs).order_by(f.id)):
        kind = FaultKind(row.kind)
        subject = Subject(Side.BILLER, "balances", biller, row.number)
        if row.number in wanted and row.number not in struck and _concerns(kind, row.operation, subject):
            _spend(moment, row.id, row.uses)
            struck[row.number] = _told(kind)
    return struck


def _told(kind: FaultKind) -> Reason:
    """Why there is no balance of this account."""
    if kind is FaultKind.DOWN:
        return Reason.BILLER_DOWN
    if kind is FaultKind.RATE_LIMITED:
        return Reason.RATE_LIMITED
    return VERDICTS.get(kind, Reason.UNKNOWN)


def seed(moment: Moment, request: SeedRequest) -> None:
    """Let chance make trouble from now on. Raises Refusal for a kind that chance may not choose."""
    if not set(request.kinds) <= set(BY_CHANCE):
        raise Refusal(Reason.CONFIG, "Chance chooses only faults that strike one call and are over.", 409)
    moment.db.execute(delete(t.weather))
    kinds = [kind.value for kind in request.kinds or BY_CHANCE]
    moment.db.execute(insert(t.weather).values(seed=request.seed, percent=request.percent, kinds=kinds))


def _by_chance(moment: Moment, subject: Subject) -> Fault | None:
    """The same seed strikes the same calls: the n-th of an operation, counted from when the town was settled."""
    row = moment.db.execute(select(t.weather)).first()
    if row is None or subject.operation not in _STRUCK_BY_CHANCE[subject.side]:
        return None
    before = (t.calls.c.side == subject.side.value) & (t.calls.c.operation == subject.operation)
    nth = moment.db.scalar(select(func.count()).select_from(t.calls).where(before))
    # Not for secrets: the same numbers must come again.
    dice = random.Random(f"{row.seed}|{subject.side.value}|{subject.operation}|{nth}")  # noqa: S311
    if dice.randrange(100) >= row.percent:
        return None
    return Fault(FaultKind(dice.choice(row.kinds)), dice.choice(_CHANCE_SECONDS))


def _concerns(kind: FaultKind, operation: str | None, subject: Subject) -> bool:
    if operation is not None:
        return operation == subject.operation
    if kind is FaultKind.DOWN:
        return True
    if kind is FaultKind.HEALTH_DOWN:
        return subject.operation == "health"
    if subject.side is Side.BILLER and kind in _ONLY_POST:
        return subject.operation == "post"
    if subject.side is Side.RAIL and (kind in VERDICTS or kind in _ONLY_CHARGE):
        return subject.operation == "charge"
    return subject.operation in _USUAL[subject.side]


def _spend(moment: Moment, fault: int, uses: int | None) -> None:
    if uses is None:
        return
    if uses <= 1:
        moment.db.execute(delete(t.faults).where(t.faults.c.id == fault))
    else:
        moment.db.execute(update(t.faults).where(t.faults.c.id == fault).values(uses=uses - 1))
