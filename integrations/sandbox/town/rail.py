"""The rail's counter: collects from purses and on hosted pages, closes numbers, gives money back; once per number."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from data.clock import shanghai
from data.ids import fresh
from integrations.ports import Reason
from integrations.sandbox.town import callbacks
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.billers import biller_of
from integrations.sandbox.town.faults import skew_seconds
from integrations.sandbox.town.moment import Moment, Refusal
from integrations.sandbox.wire import ChargeRequest, OutcomeReply, RefundRequest, StartRequest

_FAILED = {"declined": "failed", "closed": "failed"}


def charge(moment: Moment, request: ChargeRequest, verdict: str = "", style: str = "") -> OutcomeReply:
    """Collect from a purse. The same number with the same content gets the same answer and collects once.

    `verdict` is a reason to decline, or "pending" for an order that waits; `style` spoils its callbacks.
    """
    content = f"charge|{request.instrument}|{request.amount_fen}|{request.payee}"
    known = _known(moment, request.order, content)
    if known is not None:
        return _outcome(known)
    biller_of(moment, request.payee)
    state, reason = _judge(moment, request, verdict)
    _insert(moment, request, "charge", content, state, reason, purse=request.instrument, style=style)
    if state == "open":
        capture(moment, request.order)
    elif state == "declined":
        _tell(moment, request.order, "failed")
    return status(moment, request.order)


def _judge(moment: Moment, request: ChargeRequest, verdict: str) -> tuple[str, Reason | None]:
    if verdict == "pending":
        return "processing", None
    if verdict:
        return "declined", Reason(verdict)
    purse = moment.db.execute(select(t.purses).where(t.purses.c.id == request.instrument)).first()
    if purse is None or not secrets.compare_digest(purse.token.encode(), request.token.encode()):
        return "declined", Reason.PAYER_BLOCKED
    return ("open", None) if purse.funds >= request.amount_fen else ("declined", Reason.INSUFFICIENT_FUNDS)


def start(moment: Moment, request: StartRequest, style: str = "") -> Row[Any]:
    """Open a hosted page; the row tells its page key and when it expires."""
    content = f"hosted|{request.amount_fen}|{request.payee}|{request.description}"
    known = _known(moment, request.order, content)
    if known is None:
        biller_of(moment, request.payee)
        _insert(moment, request, "hosted", content, "open", None, style=style)
    elif known.kind == "number":
        raise Refusal(Reason.CLOSED, "This order number is closed.", 409)
    return _row(moment, request.order)


def status(moment: Moment, order: str) -> OutcomeReply:
    """What became of an order; a hosted page past its time is closed when somebody looks."""
    row = moment.db.execute(select(t.orders).where(t.orders.c.number == order)).first()
    if row is None:
        return OutcomeReply(number=order, state="not_found")
    return _outcome(_expire(moment, row))


def close(moment: Moment, order: str) -> OutcomeReply:
    """Close a number for ever, even one that never arrived: a late request finds it closed. Money that came stays told."""
    row = moment.db.execute(select(t.orders).where(t.orders.c.number == order)).first()
    if row is None:
        moment.db.execute(insert(t.orders).values(**_blank(moment, order), state="closed", kind="number"))
        return OutcomeReply(number=order, state="closed")
    if row.state in ("open", "processing"):
        _set(moment, order, state="closed", at=moment.now)
    return (
        _outcome(_row(moment, order)) if row.state == "paid" else OutcomeReply(number=order, state="closed")
    )


def capture(moment: Moment, order: str) -> None:
    """The money moves. Only from an order that is open or waits; a closed or declined one never collects."""
    row = _row(moment, order)
    if row.state not in ("open", "processing"):
        return
    if row.purse:
        moment.db.execute(
            update(t.purses).where(t.purses.c.id == row.purse).values(funds=t.purses.c.funds - row.amount)
        )
    at = moment.now + timedelta(seconds=skew_seconds(row.callback_style))
    _set(moment, order, state="paid", reference=fresh("cap"), at=at)
    _tell(moment, order, "paid")


def break_word(moment: Moment, order: str) -> None:
    """What no honest rail does: money on a number that was declined or closed."""
    row = moment.db.execute(select(t.orders).where(t.orders.c.number == order)).first()
    if row is None or not row.amount:
        return
    if row.state in ("declined", "closed"):
        _set(moment, order, state="open", expires_at=None)
    capture(moment, order)


def refund(moment: Moment, request: RefundRequest) -> OutcomeReply:
    """Give back, once per refund number, and never more in all than was collected."""
    known = moment.db.execute(select(t.refunds).where(t.refunds.c.number == request.refund)).first()
    if known is not None:
        if (known.order, known.amount) != (request.order, request.amount_fen):
            raise Refusal(Reason.DUPLICATE_NUMBER, "This refund number was used with other content.", 409)
        return refund_status(moment, request.refund)
    row = moment.db.execute(select(t.orders).where(t.orders.c.number == request.order)).first()
    if row is None or row.state != "paid":
        raise Refusal(Reason.DECLINED, "Nothing was collected under this order number.", 409)
    if _refunded(moment, request.order) + request.amount_fen > row.amount:
        raise Refusal(Reason.AMOUNT_RULE, "More than was collected cannot be given back.", 422)
    _give_back(moment, row, request)
    return refund_status(moment, request.refund)


def _give_back(moment: Moment, row: Row[Any], request: RefundRequest) -> None:
    if row.purse:
        moment.db.execute(
            update(t.purses)
            .where(t.purses.c.id == row.purse)
            .values(funds=t.purses.c.funds + request.amount_fen)
        )
    moment.db.execute(
        insert(t.refunds).values(
            number=request.refund,
            order=request.order,
            amount=request.amount_fen,
            reference=fresh("ref"),
            at=moment.now,
        )
    )
    _tell(moment, request.order, "refunded", request.amount_fen)


def refund_status(moment: Moment, number: str) -> OutcomeReply:
    """What became of a refund."""
    row = moment.db.execute(select(t.refunds).where(t.refunds.c.number == number)).first()
    if row is None:
        return OutcomeReply(number=number, state="not_found")
    return OutcomeReply(
        number=number, state="settled", reference=row.reference, amount_fen=row.amount, at=row.at
    )


def statement(moment: Moment, day: date) -> list[tuple[str, str, int, str]]:
    """Captures and refunds of one Shanghai day: order, kind, fen, instant; in the order in which they happened."""
    rows = [
        (r.at, r.number, "capture", r.amount)
        for r in moment.db.execute(select(t.orders).where(t.orders.c.state == "paid"))
    ]
    rows += [(r.at, r.order, "refund", r.amount) for r in moment.db.execute(select(t.refunds))]
    return [
        (order, kind, fen, at.isoformat())
        for at, order, kind, fen in sorted(rows)
        if shanghai(at).date() == day
    ]


def page(moment: Moment, key: str) -> Row[Any]:
    """The order behind a hosted page. Raises Refusal for a key nobody gave out."""
    row = moment.db.execute(select(t.orders).where(t.orders.c.page == key, t.orders.c.page != "")).first()
    if row is None:
        raise Refusal(Reason.CONFIG, "There is no such page.", 404)
    return _expire(moment, row)


def _known(moment: Moment, order: str, content: str) -> Row[Any] | None:
    """The order of this number if there is one. Raises Refusal when it carries other content."""
    row = moment.db.execute(select(t.orders).where(t.orders.c.number == order)).first()
    if row is not None and row.kind != "number" and row.fingerprint != content:
        raise Refusal(Reason.DUPLICATE_NUMBER, "This order number was used with other content.", 409)
    return row


def _blank(moment: Moment, order: str) -> dict[str, Any]:
    empty = dict.fromkeys(("fingerprint", "purse", "payee", "description", "page", "reference"), "")
    return {**empty, "number": order, "amount": 0, "callback_style": "", "at": moment.now}


def _insert(
    moment: Moment,
    request: ChargeRequest | StartRequest,
    kind: str,
    content: str,
    state: str,
    reason: Reason | None,
    purse: str = "",
    style: str = "",
) -> None:
    values = _blank(moment, request.order) | {
        "kind": kind,
        "fingerprint": content,
        "purse": purse,
        "payee": request.payee,
        "amount": request.amount_fen,
        "state": state,
        "reason": reason.value if reason else None,
        "callback_style": style,
    }
    if isinstance(request, StartRequest):
        values["description"] = request.description
        values["page"] = secrets.token_urlsafe(16)
        values["expires_at"] = moment.now + timedelta(seconds=request.lifetime_seconds)
    moment.db.execute(insert(t.orders).values(**values))


def _row(moment: Moment, order: str) -> Row[Any]:
    return moment.db.execute(select(t.orders).where(t.orders.c.number == order)).one()


def _set(moment: Moment, order: str, **values: Any) -> None:
    moment.db.execute(update(t.orders).where(t.orders.c.number == order).values(**values))


def _expire(moment: Moment, row: Row[Any]) -> Row[Any]:
    if row.state == "open" and row.expires_at and row.expires_at <= moment.now:
        _set(moment, row.number, state="closed", at=moment.now)
        return _row(moment, row.number)
    return row


def _refunded(moment: Moment, order: str) -> int:
    wanted = select(func.coalesce(func.sum(t.refunds.c.amount), 0)).where(t.refunds.c.order == order)
    return int(moment.db.scalar(wanted) or 0)


def _tell(moment: Moment, order: str, word: str, amount: int | None = None) -> None:
    row = _row(moment, order)
    callbacks.tell(moment, row, word, row.amount if amount is None else amount)


def _outcome(row: Row[Any]) -> OutcomeReply:
    if row.state == "paid":
        return OutcomeReply(
            number=row.number, state="settled", reference=row.reference, amount_fen=row.amount, at=row.at
        )
    if row.state in ("open", "processing"):
        return OutcomeReply(number=row.number, state="pending")
    return OutcomeReply(number=row.number, state="declined", reason=Reason(row.reason or Reason.CLOSED))
