"""Which outcomes of an action a step's branches speak of."""

from __future__ import annotations

from collections.abc import Iterator

from dialogues import predicate
from dialogues.model import Step


def asked_for(step: Step) -> Iterator[str]:
    """Every outcome that a branch compares with, in the order written."""
    for branch in step.next:
        if branch.condition is not None:
            yield from _compared(branch.condition.expression)


def _compared(expression: predicate.Expression) -> Iterator[str]:
    match expression:
        case predicate.Compare(
            predicate.Path("context", "outcome"), "is" | "is not", predicate.Literal(str() as name)
        ):
            yield name
        case predicate.Both(parts) | predicate.Either(parts):
            for part in parts:
                yield from _compared(part)
        case predicate.Not(part):
            yield from _compared(part)
