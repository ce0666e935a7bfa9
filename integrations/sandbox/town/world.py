"""Putting people's meters, bills and purses into the town, and changing them while it lives."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update

from data.town import World
from integrations.ports import Reason
from integrations.sandbox.control_wire import AccountChange, AccountIn, PurseIn, WorldRequest
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.moment import Books, Moment, Refusal, in_calendar


def world_request(world: World) -> WorldRequest:
    """What the billers and the rail have to know of a town; the rest of it is the application's."""
    accounts = tuple(
        AccountIn(
            id=a.id,
            biller=a.biller,
            number=a.number,
            holder=a.holder_name,
            phones=tuple(filter(None, [world.phone_of(a.holder)])) if a.holder else (),
            due_fen=a.due.fen,
            due_date=a.due_date,
            balance_fen=a.balance.fen if a.balance is not None else None,
            daily_use_fen=a.daily_use.fen if a.daily_use is not None else None,
            ic_card=a.ic_card,
            usage_fen={f"{month}-01": used.fen for month, used in world.usage_history.get(a.id, {}).items()},
        )
        for a in world.accounts.values()
    )
    purses = tuple(
        PurseIn(id=i.instrument.id, owner=i.instrument.owner, token=i.instrument.token, funds_fen=i.funds.fen)
        for i in world.instruments.values()
    )
    return WorldRequest(now=world.start, accounts=accounts, purses=purses)


def settled(moment: Moment) -> bool:
    """Whether anybody lives here yet."""
    return moment.db.execute(select(t.accounts.c.id)).first() is not None


def load(books: Books, moment: Moment, request: WorldRequest, set_clock: bool = True) -> None:
    """Forget everything and settle this town. Raises Refusal for one that cannot be: an id or number twice, no biller."""
    _check(moment, request)
    for table in t.metadata.sorted_tables:
        if table is not t.clock:
            moment.db.execute(delete(table))
    moment.db.execute(update(t.clock).values(acks="immediate"))
    if set_clock:
        books.set_clock(moment, request.now)
    if request.accounts:
        moment.db.execute(insert(t.accounts), [_account(account) for account in request.accounts])
    if request.purses:
        moment.db.execute(insert(t.purses), [_purse(purse) for purse in request.purses])


def _check(moment: Moment, request: WorldRequest) -> None:
    keys = [
        *((a.id,) for a in request.accounts),
        *((a.biller, a.number) for a in request.accounts),
        *(("purse", "", p.id) for p in request.purses),
    ]
    if len(keys) != len(set(keys)):
        raise Refusal(Reason.CONFIG, "Something of this town is there twice.", 409)
    if not {a.biller for a in request.accounts} <= set(moment.book.rows):
        raise Refusal(Reason.CONFIG, "A biller of this town is in no catalogue.", 409)
    if not in_calendar(request.now):
        raise Refusal(Reason.CONFIG, "This town begins outside the calendar.", 409)


def _purse(row: PurseIn) -> dict[str, Any]:
    return {"id": row.id, "owner": row.owner, "token": row.token, "funds": row.funds_fen}


def _account(row: AccountIn) -> dict[str, Any]:
    return {
        "id": row.id,
        "biller": row.biller,
        "number": row.number,
        "holder": row.holder,
        "phones": list(row.phones),
        "due": row.due_fen,
        "due_date": row.due_date,
        "balance": row.balance_fen,
        "daily_use": row.daily_use_fen,
        "ic_card": row.ic_card,
        "usage": {month.isoformat(): fen for month, fen in row.usage_fen.items()},
        "version": 1,
        "acks": "default",
    }


def change_account(moment: Moment, account: str, change: AccountChange) -> None:
    """A reading arrives, a bill is changed or paid elsewhere. A changed bill invalidates its quotes."""
    row = moment.db.execute(select(t.accounts).where(t.accounts.c.id == account)).first()
    if row is None:
        raise Refusal(Reason.ACCOUNT_NOT_FOUND, "No such account in town.", 404)
    given = change.model_fields_set
    values: dict[str, Any] = {}
    for key, column in (("balance_fen", "balance"), ("daily_use_fen", "daily_use"), ("acks", "acks")):
        if key in given:
            values[column] = getattr(change, key)
    if change.used_fen is not None and row.balance is not None:
        values["balance"] = max(0, row.balance - change.used_fen)
    if change.due_fen is not None:
        values |= {"due": change.due_fen, "late_since": None, "version": row.version + 1}
    if change.due_date is not None:
        values |= {"due_date": change.due_date, "late_since": None, "version": row.version + 1}
    if change.paid_elsewhere_fen is not None:
        rest = max(0, row.due - change.paid_elsewhere_fen) if change.paid_elsewhere_fen else 0
        values |= {"due": rest, "version": row.version + 1}
    if values:
        moment.db.execute(update(t.accounts).where(t.accounts.c.id == account).values(**values))
