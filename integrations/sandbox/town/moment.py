"""One instant of the town: an open transaction, what time it is, and the catalogue everybody goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, Engine, insert, select, update

from data.catalogue import Catalogue
from data.clock import shanghai
from integrations.ports import Reason
from integrations.sandbox.town import tables as t

ClockMode = Literal["system", "virtual"]


class Refusal(Exception):
    """The town says no, with its reason; nothing of the request is kept but, where `keep` says so, the no itself."""

    keep: Callable[[Moment], None] | None = None

    def __init__(self, reason: Reason, message: str, status: int = 422) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Moment:
    """What an operation may see and write, all in one transaction."""

    db: Connection
    now: datetime
    book: Catalogue

    @property
    def today(self) -> datetime:
        """The Shanghai wall clock: bills know days, not instants."""
        return shanghai(self.now)


def in_calendar(at: datetime) -> bool:
    """Whether the town can reckon with this instant: its rules and months are those of our time."""
    return 2000 <= at.year < 2100


class Books:
    """Opens moments. In mode `system` the clock runs, in mode `virtual` it stands until it is moved."""

    def __init__(self, engine: Engine, book: Catalogue, mode: ClockMode) -> None:
        self.engine = engine
        self.book = book
        self.mode: ClockMode = mode
        with engine.begin() as db:
            if db.execute(select(t.clock)).first() is None:
                db.execute(insert(t.clock).values(at=datetime.now(UTC), offset=0.0, acks="immediate"))

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """A transaction at the present instant; committed when left without an error."""
        with self.engine.begin() as db:
            yield Moment(db, self._now(db), self.book)

    def _now(self, db: Connection) -> datetime:
        row = db.execute(select(t.clock)).one()
        if self.mode == "virtual":
            at: datetime = row.at
            return at
        return datetime.now(UTC) + timedelta(seconds=row.offset)

    def callback_url(self, given: str | None) -> str | None:
        """Where callbacks go: the address given now, else the one remembered."""
        with self.engine.begin() as db:
            if given is not None:
                db.execute(update(t.clock).values(callback_url=given))
            url: str | None = db.execute(select(t.clock.c.callback_url)).scalar_one()
            return url

    def set_clock(self, moment: Moment, at: datetime) -> None:
        """From now on it is `at` (a running clock runs on from there)."""
        offset = (at - datetime.now(UTC)).total_seconds()
        moment.db.execute(update(t.clock).values(at=at, offset=offset))
