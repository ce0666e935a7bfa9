"""Requests that got no answer and take effect later, as slow networks and queues do it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, insert, select

from integrations.sandbox.town import billers, rail
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.moment import Moment, Refusal
from integrations.sandbox.wire import ChargeRequest, PostRequest, RefundRequest, StartRequest

Mover = ChargeRequest | StartRequest | RefundRequest | PostRequest


def put_off(moment: Moment, request: Mover, key: str, biller: str, until: datetime) -> None:
    """Keep a request for later."""
    moment.db.execute(
        insert(t.delayed).values(
            due_at=until,
            operation=type(request).__name__,
            key=key,
            biller=biller,
            body=request.model_dump_json(),
        )
    )


def run_due(moment: Moment) -> None:
    """Execute what is due, oldest first. What is refused by now is refused unheard: its asker is long gone."""
    wanted = select(t.delayed).where(t.delayed.c.due_at <= moment.now).order_by(t.delayed.c.due_at)
    for row in moment.db.execute(wanted).all():
        # It happened when it was due, not when somebody looked: the statement's day depends on it.
        then = replace(moment, now=row.due_at)
        _run(then, row.id, row.operation, row.biller, json.loads(row.body))


def run_key(moment: Moment, key: str) -> None:
    """Execute now what was put off under this number."""
    for row in moment.db.execute(select(t.delayed).where(t.delayed.c.key == key)).all():
        _run(moment, row.id, row.operation, row.biller, json.loads(row.body))


def _run(moment: Moment, delayed: int, operation: str, biller: str, body: dict[str, object]) -> None:
    moment.db.execute(delete(t.delayed).where(t.delayed.c.id == delayed))
    try:
        with moment.db.begin_nested():
            _execute(moment, operation, biller, body)
    except Refusal:
        return


def _execute(moment: Moment, operation: str, biller: str, body: dict[str, object]) -> None:
    match operation:
        case "ChargeRequest":
            rail.charge(moment, ChargeRequest.model_validate(body))
        case "StartRequest":
            rail.start(moment, StartRequest.model_validate(body))
        case "RefundRequest":
            rail.refund(moment, RefundRequest.model_validate(body))
        case "PostRequest":
            billers.post(moment, biller, PostRequest.model_validate(body))
        case other:
            raise ValueError(f"nothing of the kind {other} is ever put off")
