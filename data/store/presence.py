"""Who of a house is alive: each process holds a lock on its own name, and the database lets it go the moment the process dies.

Nobody writes down that he lives, so nobody can be believed dead because his clock stood still: whoever gets the lock of a
name knows that its holder is gone, or is cut off and has been told so by his own connection. SQLite serves one
process; there a file beside the database is locked, and only the next start of the same name looks at it.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa

from data.store.engine import Store, Tx

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger("bangjiao.presence")

BEAT_SECONDS = 1.0
# A connection nobody answered on for so long may have lost its lock: the server gives a silent machine up after four.
SURE_SECONDS = 3.0
_AGAIN_SECONDS = 0.2
_ANSWER_SECONDS = 0.1  # what is there to be read so soon after a question may be its answer
_ARRIVAL_SECONDS = 3.0  # a peer that tidies up after our predecessor holds our name for a moment
_LONGEST_NAME = 40

_KEY = "hashtextextended('bangjiao presence ' || %s, 0)"
_TAKE = f"SELECT pg_try_advisory_lock({_KEY})"
_FREE = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended('bangjiao presence ' || :name, 0))")
# The server notices within four seconds that a machine or a cable is gone; a dead process it notices at once.
_SERVER = "-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=2"


class NameTaken(Exception):
    """Another live process of this house has the same name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Another process of this house is at work under the name {name!r}. Two live processes never share one: "
            "give this one its own with BANGJIAO_EXECUTOR, or leave that away and one is made up."
        )


def is_dead(tx: Tx, name: str) -> bool:
    """Whether no process holds this name, which then stays free until the transaction ends. On SQLite nobody asks."""
    if tx.conn.dialect.name != "postgresql":
        return False
    return bool(tx.conn.scalar(_FREE, {"name": name}))


class Presence:
    """This process's name, held from `come` until `go` or death. A process that never came is taken to be alone."""

    def __init__(self, store: Store, name: str) -> None:
        """Raises ValueError for a name that no lease has room for."""
        if not 0 < len(name) <= _LONGEST_NAME:
            raise ValueError(f"the name of a process has 1 to {_LONGEST_NAME} characters")
        self.name = name
        self._engine = store.engine
        self._line: psycopg.AsyncConnection | None = None
        self._file: int | None = None
        self._beating: asyncio.Task[None] | None = None
        self._came = False
        self._asking_since: float | None = None
        self._sure_until = 0.0

    @property
    def held(self) -> bool:
        """Whether the name is surely ours at this instant; looks at no clock but our own and asks nobody.

        A process that was stopped and goes on finds its last answer too old, or its connection's end already in the
        kernel's hands; so it knows before it sends anything.
        """
        if not self._came or self._engine.dialect.name != "postgresql":
            return True
        return self._line is not None and time.monotonic() < self._sure_until and not self._hung_up()

    async def come(self) -> None:
        """Takes the name. Raises NameTaken when another live process has it."""
        until = time.monotonic() + _ARRIVAL_SECONDS
        while not await self._taken():
            if time.monotonic() > until:
                raise NameTaken(self.name)
            await asyncio.sleep(_AGAIN_SECONDS)
        self._came = True
        if self._line is not None:
            self._beating = asyncio.create_task(self._beat_for_ever())

    async def go(self) -> None:
        """Gives the name back; peers take up at once what is left under it."""
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
            self._beating = None
        if self._line is not None:
            with suppress(Exception):  # hanging up gives it back as well, a moment later
                async with asyncio.timeout(1):
                    await self._line.execute("SELECT pg_advisory_unlock_all()")
        await self._hang_up()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def _taken(self) -> bool:
        if self._engine.dialect.name == "postgresql":
            return await self._locked()
        return self._file_locked()

    # --- PostgreSQL -----------------------------------------------------------------------------------------------

    async def _locked(self) -> bool:
        """A connection of our own with the lock on our name; without the lock it is closed again."""
        import psycopg

        given = self._engine.dialect.create_connect_args(self._engine.url)[1]
        line = await psycopg.AsyncConnection.connect(
            **{**given, "application_name": f"bangjiao {self.name}", "options": _SERVER},
            autocommit=True,
            connect_timeout=2,
            keepalives_idle=2,
            keepalives_interval=1,
            keepalives_count=2,
        )
        asked = time.monotonic()
        found = await (await line.execute(_TAKE, (self.name,))).fetchone()
        if not (found and found[0]):
            await line.close()
            return False
        self._line, self._sure_until = line, asked + SURE_SECONDS
        return True

    def _hung_up(self) -> bool:
        """Whether the server said something unasked, which it only does when it ends: nothing may be sent on that."""
        since = self._asking_since
        if self._line is None or (since is not None and time.monotonic() < since + _ANSWER_SECONDS):
            return False
        readable, _, _ = select.select([self._line.fileno()], [], [], 0)
        return bool(readable)

    async def _beat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS if self._line is not None else _AGAIN_SECONDS)
            try:
                await self._beat()
            except Exception as problem:
                if self._line is not None:
                    log.error("%s lost its name for a moment: %s", self.name, type(problem).__name__)
                await self._hang_up()

    async def _beat(self) -> None:
        if self._line is None:
            if await self._locked():
                log.warning("%s has its name again", self.name)
            return
        if self._hung_up():
            raise ConnectionError("the server ended the line")
        asked = self._asking_since = time.monotonic()
        try:
            async with asyncio.timeout(SURE_SECONDS):
                await self._line.execute("SELECT 1")
            self._sure_until = asked + SURE_SECONDS
        finally:
            self._asking_since = None

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(Exception):  # it is gone anyway
                await line.close()

    # --- SQLite ---------------------------------------------------------------------------------------------------

    def _file_locked(self) -> bool:
        database = self._engine.url.database
        if not database or database == ":memory:":
            return True  # nobody else can reach it
        file = os.open(f"{database}.{self.name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True
