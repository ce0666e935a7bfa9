"""A process that has read everything once and puts workers, counters and towns into the world as processes of their own.

`python -m tests.crash.cradle` reads one order a line and answers each with one line: a child's number, or how it ended.
Whoever it put into the world and is still alive when its own input ends, ends with it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from typing import Any

from tests.crash import labour
from tests.crash.nursery import prepare

_LONGEST_SECONDS = 1_800


def main() -> None:
    """Serves orders until its input ends."""
    prepare()
    labour.prepare()
    ends: dict[int, int | None] = {}  # every child, and how it ended
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        answer = _bear(order["bear"], ends) if "bear" in order else _ended(order["ended"], ends)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for child in ends:
        if _ended(child, ends)["exit"] is None:
            os.kill(child, signal.SIGKILL)


def _bear(spec: dict[str, Any], ends: dict[int, int | None]) -> dict[str, Any]:
    child = os.fork()
    if child == 0:
        _live(spec)
    ends[child] = None
    return {"pid": child}


def _ended(child: int, ends: dict[int, int | None]) -> dict[str, Any]:
    """How it ended (-9: killed); null while it lives, stopped or not."""
    if ends[child] is None:
        found, status = os.waitpid(child, os.WNOHANG)
        ends[child] = os.waitstatus_to_exitcode(status) if found else None
    return {"exit": ends[child]}


def _live(spec: dict[str, Any]) -> None:
    signal.alarm(_LONGEST_SECONDS)
    out = os.open(spec["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for theirs, ours in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(theirs, ours)
    try:
        labour.live(spec)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
