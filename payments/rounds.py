"""Where a round over the meters stands: its pages, who has which in hand, and when it is over.

Account ids are random, so their order is a fixed slot for each account. Pages are taken one after the other by whoever has
time; one that somebody took and never finished is taken again when his lease has run out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import fresh
from data.store.engine import Tx
from data.store.mandates import mandates, sweep_pages, sweeps
from data.store.people import saved_accounts
from payments.pacing import page_due

_GOES_ON = timedelta(
    hours=1
)  # a round nobody moved for longer, and for longer than its interval, is given up
_LEASE = timedelta(minutes=2)  # longer than a page takes with every biller at its time-out
_AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Cycle:
    """One round, as its row stands."""

    id: str
    started_at: datetime
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """The accounts beyond `after`, up to and with `upto`, of one round."""

    cycle: Cycle
    after: str
    upto: str

    @property
    def key(self) -> tuple[str, str]:
        return self.cycle.id, self.after


def opened(tx: Tx, at: datetime, every: timedelta) -> Cycle | None:
    """The round that is under way, or a new one; None when the last is over and was begun less than `every` ago."""
    tx.alone("sweep")
    last = tx.conn.execute(sa.select(sweeps).order_by(sweeps.c.seq.desc()).limit(1)).first()
    if last is not None and last.finished_at is None:
        if at - (last.moved_at or last.started_at) < max(_GOES_ON, every):
            return Cycle(last.cycle, last.started_at, last.heard_at)
    elif last is not None and at - last.started_at < every:
        return None
    heard_at = None if last is None else last.started_at if last.finished_at is not None else last.heard_at
    new = Cycle(fresh("swp"), at, heard_at)
    expected = last.pages if last is not None and last.finished_at is not None else 0
    tx.conn.execute(
        sa.insert(sweeps).values(
            cycle=new.id, cursor="", pages=0, expected=expected, heard_at=heard_at, started_at=at, moved_at=at
        )
    )
    return new


def take_page(
    tx: Tx,
    cycle: Cycle,
    owner: str,
    at: datetime,
    *,
    size: int,
    spread: timedelta = _AT_ONCE,
    in_hand: Collection[tuple[str, str]] = (),
) -> Page | None:
    """The next page nobody has: one that was left behind, else the next one when it is due; None: there is none now.

    `in_hand` are pages this very process is at work on; others under its name are those of one that died.
    """
    tx.alone("sweep")
    left = sa.and_(
        sweep_pages.c.cycle == cycle.id,
        sa.or_(sweep_pages.c.lease_until <= at, sweep_pages.c.owner == owner),
    )
    for row in tx.conn.execute(sa.select(sweep_pages).where(left).order_by(sweep_pages.c.after)):
        page = Page(cycle, row.after, row.upto)
        # One that was finished since we looked is in nobody's hand, and gone: it must not be read again.
        if page.key not in in_hand and _held(tx, page, owner, at):
            return page
    stands = tx.conn.execute(sa.select(sweeps).where(sweeps.c.cycle == cycle.id)).first()
    if stands is None or stands.finished_at is not None:
        return None
    if at < page_due(stands.started_at, cycle.id, stands.pages, stands.expected, spread):
        return None
    upto = _end_of_page(tx, stands.cursor, size)
    if upto is None:
        return None
    page = Page(cycle, stands.cursor, upto)
    held = {"owner": owner, "lease_until": at + _LEASE}
    tx.conn.execute(sa.insert(sweep_pages).values(cycle=cycle.id, after=page.after, upto=upto, **held))
    mine = sa.update(sweeps).where(sweeps.c.cycle == cycle.id)
    tx.conn.execute(mine.values(cursor=upto, pages=sweeps.c.pages + 1, moved_at=at))
    return page


def page_done(tx: Tx, page: Page) -> None:
    """What the page said is written in this very transaction: it is not read again in this round."""
    tx.conn.execute(sa.delete(sweep_pages).where(_is(page)))


def closed(tx: Tx, cycle: Cycle, at: datetime) -> bool:
    """Ends the round when every page is done; True for the one who ended it. Rounds before it say nothing any more."""
    tx.alone("sweep")
    row = tx.conn.execute(sa.select(sweeps).where(sweeps.c.cycle == cycle.id)).first()
    if row is None or row.finished_at is not None or _end_of_page(tx, row.cursor, 1) is not None:
        return False
    if tx.conn.scalar(sa.select(sa.exists().where(sweep_pages.c.cycle == cycle.id))):
        return False
    tx.conn.execute(sa.update(sweeps).where(sweeps.c.seq == row.seq).values(finished_at=at))
    tx.conn.execute(sa.delete(sweeps).where(sweeps.c.seq < row.seq))
    tx.conn.execute(sa.delete(sweep_pages).where(sweep_pages.c.cycle != cycle.id))
    return True


def _held(tx: Tx, page: Page, owner: str, at: datetime) -> bool:
    mine = sa.update(sweep_pages).where(_is(page)).values(owner=owner, lease_until=at + _LEASE)
    return tx.conn.execute(mine).rowcount == 1


def _is(page: Page) -> sa.ColumnElement[bool]:
    return sa.and_(sweep_pages.c.cycle == page.cycle.id, sweep_pages.c.after == page.after)


# Two walks along two indexes, no row touched: accounts somebody keeps, and those that are or were paid by themselves (the
# reminder stays when that is stopped). One walk over all accounts would ask of each whether it is wanted.
_AFTER: sa.BindParameter[str] = sa.bindparam("after", type_=sa.String)
_OTHERS: sa.BindParameter[int] = sa.bindparam("others", type_=sa.Integer)


def _end_of_page(tx: Tx, after: str, size: int) -> str | None:
    """Where the next page ends; None when nobody follows. It holds `size` accounts or somewhat more."""
    end: str | None = tx.conn.execute(_END, {"after": after, "others": size - 1}).scalar_one()
    return end


def _end() -> sa.Select[Any]:
    """Reckoned by the database, whose order of texts need not be Python's."""
    walks = {"agreed": mandates.c.account, "kept": saved_accounts.c.account}
    ends = sa.select(
        *(_nth(column).label(name) for name, column in walks.items()),
        *(_last(column).label(f"{name}_last") for name, column in walks.items()),
    ).subquery()
    e = ends.c
    # A walk that goes on beyond its n-th account bounds the page; one that ends before does not.
    end = sa.case(
        (e.agreed < e.kept, e.agreed),
        (e.kept.is_not(None), e.kept),
        (e.agreed.is_not(None), e.agreed),
        (e.agreed_last > e.kept_last, e.agreed_last),
        else_=sa.func.coalesce(e.kept_last, e.agreed_last),
    )
    return sa.select(end)


def _nth(column: sa.Column[str]) -> sa.ScalarSelect[str]:
    walk = sa.select(column).where(column > _AFTER).order_by(column)
    return walk.limit(1).offset(_OTHERS).scalar_subquery()


def _last(column: sa.Column[str]) -> sa.ScalarSelect[str]:
    return sa.select(sa.func.max(column)).where(column > _AFTER).scalar_subquery()


_END = _end()
