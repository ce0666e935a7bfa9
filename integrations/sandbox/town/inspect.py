"""What the town testifies after a test: what was collected, written off, given back, asked and told."""

from __future__ import annotations

from sqlalchemy import select

from integrations.sandbox.control_wire import (
    Call,
    CallbackSeen,
    Capture,
    Inspection,
    OrderSeen,
    Posting,
    RefundSeen,
)
from integrations.sandbox.town import faults
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.moment import Moment


def everything(moment: Moment) -> Inspection:
    """The whole testimony, each list in the order in which things happened."""
    return Inspection(
        now=moment.now,
        captures=_captures(moment),
        posts=_posts(moment),
        refunds=_refunds(moment),
        orders=_orders(moment),
        calls=_calls(moment),
        callbacks=_callbacks(moment),
        faults=faults.count(moment),
    )


def _captures(moment: Moment) -> tuple[Capture, ...]:
    wanted = (
        select(t.orders, t.posts.c.account)
        .outerjoin(t.posts, t.posts.c.order == t.orders.c.number)
        .where(t.orders.c.state == "paid")
        .order_by(t.orders.c.at)
    )
    return tuple(
        Capture(
            order=r.number,
            amount_fen=r.amount,
            payee=r.payee,
            purse=r.purse,
            at=r.at,
            account=r.account or "",
        )
        for r in moment.db.execute(wanted)
    )


def _posts(moment: Moment) -> tuple[Posting, ...]:
    rows = moment.db.execute(select(t.posts).order_by(t.posts.c.at))
    return tuple(
        Posting(order=r.order, biller=r.biller, account=r.account, amount_fen=r.amount, state=r.state)
        for r in rows
    )


def _refunds(moment: Moment) -> tuple[RefundSeen, ...]:
    rows = moment.db.execute(select(t.refunds).order_by(t.refunds.c.at))
    return tuple(RefundSeen(refund=r.number, order=r.order, amount_fen=r.amount, at=r.at) for r in rows)


def _orders(moment: Moment) -> tuple[OrderSeen, ...]:
    rows = moment.db.execute(select(t.orders).order_by(t.orders.c.at))
    return tuple(
        OrderSeen(order=r.number, kind=r.kind, state=r.state, amount_fen=r.amount, reason=r.reason)
        for r in rows
    )


def _calls(moment: Moment) -> tuple[Call, ...]:
    rows = moment.db.execute(select(t.calls).order_by(t.calls.c.id))
    return tuple(
        Call(side=r.side, operation=r.operation, key=r.key, outcome=r.outcome, at=r.at) for r in rows
    )


def _callbacks(moment: Moment) -> tuple[CallbackSeen, ...]:
    rows = moment.db.execute(select(t.callbacks).order_by(t.callbacks.c.next_at))
    return tuple(
        CallbackSeen(
            event_id=r.event_id,
            order=r.order,
            status=r.status,
            state=r.state,
            attempts=r.attempts,
            last_http_status=r.last_http_status,
        )
        for r in rows
    )
