"""What became of each case that was played: passed, failed, or unsupported with the key that is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["passed", "failed", "unsupported"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """detail: what went wrong and where, or the missing keys. left_out: what was not looked at, by name (rendering keys
    without a renderer, invariants the world cannot tell about). seconds: real ones.
    """

    id: str
    status: Status
    detail: str = ""
    left_out: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "status": self.status,
            "detail": self.detail,
            "left_out": list(self.left_out),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All cases, in the order in which they were played."""

    cases: tuple[CaseResult, ...]

    @property
    def passed(self) -> int:
        return sum(1 for c in self.cases if c.status == "passed")

    @property
    def failed(self) -> int:
        return sum(1 for c in self.cases if c.status == "failed")

    @property
    def unsupported(self) -> list[str]:
        return [c.id for c in self.cases if c.status == "unsupported"]

    def as_json(self) -> dict[str, Any]:
        """What `bangjiao play --json` prints."""
        return {
            "passed": self.passed,
            "failed": self.failed,
            "unsupported": self.unsupported,
            "cases": [c.as_json() for c in self.cases],
        }
