"""A process that has read all programs and flows once, and gives birth to a real process for every life.

`python -m tests.crash.nursery` reads one life a line and answers with how it ended; starting Python anew for each of
hundreds of lives would cost more than the lives.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys
import traceback
from functools import cache

import httpx
import sqlalchemy as sa

from bot import app, logs
from bot.settings import Settings
from data import catalogue
from tests.crash.life import Life, spec_of

_LONGEST_SECONDS = 90


def main() -> None:
    prepare()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(line)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"pid": child, "exit": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


def prepare() -> None:
    """What is read from unchanging files is read here, once for all lives."""
    logs.set_up("ERROR")  # on standard error: what is said on standard output is an answer
    ssl.create_default_context = cache(ssl.create_default_context)  # type: ignore[assignment]
    words = app.read_words(Settings())
    app.read_words = lambda settings: words
    catalogue.load()
    httpx.create_ssl_context()
    for kind in ("sqlite", "postgresql+psycopg"):
        sa.create_engine(f"{kind}://")
    # A forked process has one thread only: whoever held a lock in another one would never give it back.
    assert len(os.listdir("/proc/self/task")) == 1, "nobody may be working when a process is forked"


def _live(line: str) -> None:
    signal.alarm(_LONGEST_SECONDS)
    spec = spec_of(line)
    try:
        asyncio.run(Life(spec).live())
    except BaseException:
        with open(spec.log, "a", encoding="utf-8") as log:
            log.write(json.dumps({"died": traceback.format_exc()}) + "\n")
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
