"""Writes docs/money-states.md from the tables of payments/states.py: `python -m tests.payments.state_tables`."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from payments.states import (
    ACT_TRANSITIONS,
    FINAL,
    MANDATE_TRANSITIONS,
    TRANSITIONS,
    ActState,
    MandateState,
    State,
)

PAGE = Path(__file__).parents[2] / "docs" / "money-states.md"

_HEAD = """# Where money can stand

Written by `python -m tests.payments.state_tables` from `payments/states.py`; a test compares the two. A step that is not in
these tables is refused, nothing of it is written, and an alarm is raised: a line in the log and in the book, and a ticket.

Every step is one compare-and-set in one transaction, together with the ledger, the book and the news that tell of it.
"""

# By machine and state: some states of different machines have the same name.
_MEANS: dict[tuple[type[StrEnum], StrEnum], str] = {
    (ActState, ActState.PROPOSED): "read back, not agreed to",
    (ActState, ActState.APPROVAL_WAIT): "agreed to by one, a relative or a day must still agree",
    (ActState, ActState.CONFIRMED): "agreed to; its payments are written down",
    (ActState, ActState.CANCELLED): "said no to, or stopped",
    (ActState, ActState.EXPIRED): "nobody agreed in time",
    (ActState, ActState.SUPERSEDED): "read back anew, with another price or purse",
    (State, State.CONFIRMED): "agreed to, nothing sent",
    (State, State.SUBMITTED): "being sent to the rail, or sent and pending there",
    (State, State.UNKNOWN): "sent, and no usable answer: asked after under the same number",
    (State, State.AWAITING_PAYER): "the rail's page is open, the payer pays there himself",
    (State, State.PAID): "collected, says the rail",
    (State, State.POSTING): "being written off at the biller",
    (State, State.POST_UNKNOWN): "collected; whether the biller wrote it off is not known",
    (State, State.SETTLED): "written off, says the biller",
    (State, State.CLOSING): "its number is being closed",
    (State, State.FAILED): "a definite no, or closed for certain: nothing was collected",
    (State, State.POST_FAILED): "collected, and the biller does not take it",
    (State, State.REFUNDING): "on its way back, under one refund number for ever",
    (State, State.REFUNDED): "given back, says the rail",
    (State, State.NEEDS_HUMAN): "a person looks; it is asked on slowly, and the account stays held",
    (State, State.CANCELLED): "nothing was ever sent",
    (MandateState, MandateState.AWAITING_PAYER): "read back, the payer has not agreed",
    (MandateState, MandateState.ACTIVE): "pays by itself",
    (MandateState, MandateState.PAUSED): "rests until a day that was said, or until a new agreement",
    (
        MandateState,
        MandateState.SUSPENDED,
    ): "could not pay several times, or has no purse: rests, and says so",
    (MandateState, MandateState.REVOKED): "stopped",
    (MandateState, MandateState.EXPIRED): "over, or never agreed to",
}


def page() -> str:
    """The whole page."""
    return "\n".join(
        [
            _HEAD,
            _machine("A proposal", ActState, ACT_TRANSITIONS, frozenset()),
            _machine("A payment", State, TRANSITIONS, FINAL),
            _machine("An automatic payment", MandateState, MANDATE_TRANSITIONS, frozenset()),
        ]
    )


def _machine(
    title: str,
    states: Iterable[StrEnum],
    steps: Iterable[tuple[StrEnum, StrEnum, str]],
    final: frozenset[StrEnum],
) -> str:
    in_order = list(states)
    rank = {state: number for number, state in enumerate(in_order)}
    lines = [f"## {title}", "", "| state | means |", "|---|---|"]
    lines += [
        f"| `{state}`{' (end)' if state in final else ''} | {_MEANS[type(state), state]} |"
        for state in in_order
    ]
    lines += ["", "| from | to | when |", "|---|---|---|"]
    steps = sorted(steps, key=lambda step: (rank[step[0]], rank[step[1]]))
    lines += [f"| `{frm}` | `{to}` | {why} |" for frm, to, why in steps]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page())
