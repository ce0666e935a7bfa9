"""Writes docs/sandbox-faults.md from the town's own list: `python -m tests.sandbox.fault_page`."""

from __future__ import annotations

from pathlib import Path

from integrations.sandbox.fault_kinds import BY_CHANCE, CALLBACK_FAULTS, MEANING, FaultKind

PAGE = Path(__file__).parents[2] / "docs" / "sandbox-faults.md"

_HEAD = """# What can go wrong in the sandbox town

Written by `python -m tests.sandbox.fault_page` from `integrations/sandbox/fault_kinds.py`; a test compares the two, and
`tests/sandbox/test_till_and_faults.py` shows for each of them what the till makes of it over HTTP.

A fault is asked for at the control port, with the token that the sandbox printed when it started:

    POST /control/faults     {"side": "rail", "kind": "lost_answer", "operation": "refund", "uses": 2}
    POST /control/seed       {"seed": 7, "percent": 25}
    DELETE /control/faults   everything works again
    GET /control/faults      this list

* `side` is `rail` or `biller`. `account` or `order` aims it; without both it strikes the next call.
* `operation` is one of charge, start, status, close, refund, refund_status, statement, health (rail), or query, holder,
  find, usage, billers, form, post, post_status, statement, health (biller). Left out: what moves something.
* Faults strike in the order in which they were asked for; `none` lets a call pass. So a list of them is a story.
* A callback fault goes with the order and may come together with a fault of the answer.
* With a seed, chance strikes: the n-th call of an operation is struck, or not, by seed and n alone, so the same calls make the
  same story again. Arranged faults come first.
* `seconds` are those of the town's clock, which the control port moves.
* While `connection_refused` holds, the control port answers at its own address, `control_url` of the line printed at the
  start.

What is wrong with a day's file is asked for at `POST /control/statement_faults`.
"""


def page() -> str:
    """The whole page."""
    answers = [kind for kind in FaultKind if kind not in CALLBACK_FAULTS]
    callbacks = [kind for kind in FaultKind if kind in CALLBACK_FAULTS]
    return "\n".join(
        [
            _HEAD,
            *_table("Of a call and its answer", answers),
            *_table("Of what the rail tells by itself", callbacks),
        ]
    )


def _table(title: str, kinds: list[FaultKind]) -> list[str]:
    rows = [f"| `{kind}` | {MEANING[kind]} | {'yes' if kind in BY_CHANCE else ''} |" for kind in kinds]
    return [f"## {title}", "", "| name | what happens | by chance |", "|---|---|---|", *rows, ""]


if __name__ == "__main__":
    PAGE.write_text(page())
