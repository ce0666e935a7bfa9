"""A person at the other end: reads what arrives and answers it; says the wish again only when nothing is going on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """Who pays which bill, and how."""

    person: str
    channel: str
    account: str
    fen: int
    pin: str
    page: bool = False  # has no purse and pays by himself on the rail's page
    wish: str = "交电费"
    yes: str = "付"
    by_itself: bool = (
        False  # agreed to before; the sweep finds the meter low, and the elder hears of it as well
    )
    elder: str = ""


STORIES = {
    "purse": Story("chengfs", "telegram", "E-CHENG", 12_592, "3628"),
    "page": Story("zhanggf", "web", "E-ZHANG", 12_345, "5307", page=True),
    "mandate": Story("limin", "telegram", "E-LI", 10_000, "4071", by_itself=True, elder="lijg"),
}


@dataclass
class Resident:
    """One person, with all that ever arrived."""

    story: Story
    seen: list[Message] = field(default_factory=list)
    answered: int = 0

    @property
    def _talk(self) -> list[Message]:
        return [m for m in self.seen if m["channel"] == self.story.channel]

    def told(self, claim: str) -> bool:
        """Whether something was claimed to have happened: captured, posted."""
        return any(m["claims"] == claim for m in self._talk)

    @property
    def content(self) -> bool:
        return self.told("posted")

    @property
    def page(self) -> str:
        """The page that is open to be paid, if one was sent."""
        return next((m["link"] for m in reversed(self._talk) if m["link"]), "")

    def answer(self) -> str:
        """What the person says to the newest message; nothing when it asks nothing or was answered before."""
        new = [m for m in self.seen[self.answered :] if m["channel"] == self.story.channel]
        asked = new[-1]["asks"] if new else None
        return {"confirm": self.story.yes, "code": self.story.pin}.get(str(asked), "")
