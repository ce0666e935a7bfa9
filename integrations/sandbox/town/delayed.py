"""Requests that got no answer and take effect later, as slow networks and queues do it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select

from integrations.sandbox.town import billers, rail
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.moment import Moment, Refusal
from integrations.sandbox.wire import ChargeRequest, PostRequest, RefundRequest, StartRequest

Mover = ChargeRequest | StartRequest | RefundRequest | PostRequest


def put_off(moment: Moment, request: Mover, key: str, biller: str, until: datetime, style: str = "") -> None:
    """Keep a request for later; `style` is how its order will be told about."""
    operation = f"{type(request).__name__} {style}".rstrip()
    _keep(moment, until, operation, key, biller, request.model_dump_json())


def put_off_money(moment: Moment, key: str, until: datetime) -> None:
    """Keep for later that the rail breaks its word about an order."""
    _keep(moment, until, "LateMoney", key, "", "{}")


def _keep(moment: Moment, until: datetime, operation: str, key: str, biller: str, body: str) -> None:
    values = {"due_at": until, "operation": operation, "key": key, "biller": biller, "body": body}
    moment.db.execute(insert(t.delayed).values(**values))


def run_due(moment: Moment) -> None:
    """Execute what is due, oldest first. What is refused by now is refused unheard: its asker is long gone."""
    wanted = select(t.delayed).where(t.delayed.c.due_at <= moment.now).order_by(t.delayed.c.due_at)
    for row in moment.db.execute(wanted).all():
        # It happened when it was due, not when somebody looked: the statement's day depends on it.
        then = replace(moment, now=row.due_at)
        _run(then, row)


def run_key(moment: Moment, key: str) -> None:
    """Execute now what was put off under this number."""
    for row in moment.db.execute(select(t.delayed).where(t.delayed.c.key == key)).all():
        _run(moment, row)


def _run(moment: Moment, row: Row[Any]) -> None:
    moment.db.execute(delete(t.delayed).where(t.delayed.c.id == row.id))
    operation, _, style = row.operation.partition(" ")
    try:
        with moment.db.begin_nested():
            _execute(moment, operation, row, style)
    except Refusal as refusal:
        if refusal.keep is not None:
            refusal.keep(moment)


def _execute(moment: Moment, operation: str, row: Row[Any], style: str) -> None:
    match operation:
        case "ChargeRequest":
            rail.charge(moment, ChargeRequest.model_validate_json(row.body), style=style)
        case "StartRequest":
            rail.start(moment, StartRequest.model_validate_json(row.body), style)
        case "RefundRequest":
            rail.refund(moment, RefundRequest.model_validate_json(row.body))
        case "PostRequest":
            billers.post(moment, row.biller, PostRequest.model_validate_json(row.body))
        case "LateMoney":
            rail.break_word(moment, row.key)
        case other:
            raise ValueError(f"nothing of the kind {other} is ever put off")
