"""The answer of every reader of values when it is not certain: ask the person, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reason = Literal["approximate", "ambiguous", "several", "none"]


@dataclass(frozen=True, slots=True)
class Ask:
    """No certain value: `none` said none, `several` said more than one, `approximate` is no exact one, `ambiguous` reads two ways."""

    reason: Reason
