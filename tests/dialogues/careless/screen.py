"""What one person sees and can press: the messages he was sent, the question that is open for him, buttons old and new."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import sqlalchemy as sa

from data.events import InboundEvent
from data.ids import PersonId
from data.store import letters
from data.store.engine import Tx
from data.store.talks import tokens
from dialogues import codes, wire
from dialogues.testing.world import Sent

_SIX = re.compile(r"(?<!\d)\d{6}(?!\d)")


@dataclass(frozen=True, slots=True)
class Pressable:
    """A button somebody was sent. `message` is the number of its message on this screen."""

    title: str
    payload: str
    token: str
    message: int


@dataclass
class Screen:
    """One person with his chats and his telephone. `yes` is the read-back he said yes to last, while that still counts."""

    person: PersonId
    channels: tuple[str, ...]
    pin: str = field(repr=False)
    channel: str = ""
    seq: int = 0
    messages: list[Sent] = field(default_factory=list)
    buttons: list[Pressable] = field(default_factory=list)
    asked: Sent | None = None  # the newest message that waits for an answer
    asked_at: int = -1
    code: str = ""
    private: set[str] = field(default_factory=set, repr=False)  # what he said that nobody may ever see again
    last: InboundEvent | None = None
    earlier: list[InboundEvent] = field(default_factory=list)
    yes: Sent | None = None
    next: list[str] = field(default_factory=list)  # what he does next, whatever was drawn

    def __post_init__(self) -> None:
        self.channel = self.channels[0]

    @property
    def speaks(self) -> bool:
        return self.channel == "voice"

    @property
    def asks(self) -> str:
        """What is waited for, as far as he can see."""
        return (self.asked.asks if self.asked else None) or "open"

    def newest(self) -> list[Pressable]:
        """The buttons under the question that is open."""
        return [b for b in self.buttons if b.message == self.asked_at]

    def is_open(self, button: Pressable) -> bool:
        """Whether it stands under the open question or under what he said yes to; elsewhere a no is about something that is over."""
        return button.message == self.asked_at or self.messages[button.message] is self.yes

    def read(self, tx: Tx) -> list[Sent]:
        """Everything that came since he looked last, the codes on his other telephone among it."""
        came = [x for x in letters.letters_to(tx, self.person, self.seq) if x.state != "dropped"]
        if not came:
            return []
        payloads = _payloads(tx, came)
        found = []
        for letter in came:
            self.seq = letter.seq
            if letter.channel in codes.ELSEWHERE:
                self._read_code(letter)
            else:
                found.append(self._take(letter, payloads))
        return found

    def _read_code(self, letter: letters.Letter) -> None:
        code = _SIX.search(wire.load_said(letter.body).text)
        if code is not None:
            self.code = code[0]
            self.private.add(code[0])

    def _take(self, letter: letters.Letter, payloads: dict[str, str]) -> Sent:
        said = wire.load_said(letter.body)
        sent = Sent(
            person=self.person,
            text=said.text,
            at=letter.created_at,
            channel=letter.channel,
            asks=said.asks,
            response=said.response,
            claims=said.claims,
            payment=said.payment,
            speaker=said.speaker,
            cause=letter.cause,
            spoken=said.text if letter.channel == "voice" else None,
        )
        self.messages.append(sent)
        place = len(self.messages) - 1
        self.buttons += [Pressable(b.title, payloads.get(b.token, ""), b.token, place) for b in said.buttons]
        if said.asks is not None:
            self.asked, self.asked_at = sent, place
            if said.asks == "confirm":
                self.yes = None  # a new read-back wants a yes of its own
        return sent


def _payloads(tx: Tx, came: list[letters.Letter]) -> dict[str, str]:
    shown = [b.token for letter in came for b in wire.load_said(letter.body).buttons]
    if not shown:
        return {}
    rows = tx.conn.execute(sa.select(tokens.c.token, tokens.c.payload).where(tokens.c.token.in_(shown)))
    return {row.token: str(row.payload["payload"]) for row in rows}
