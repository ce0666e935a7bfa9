"""What the pages need of the house behind them: the talks of residents, and the desk of the staff."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from data.ids import AccountId, PersonId, TicketId
from dialogues.model import Button

ME = "me"
BOT = "bot"


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody of the demo town whom a visitor may be."""

    id: PersonId
    name: str
    caption: str  # 女儿,在外地,替父母交费
    locale: str = "zh"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a talk as the person saw it. A pressed button is an entry of `me` with the button's title.

    Codes and PINs the person typed come masked (••••); `seq` grows and is unique within the person's talk.
    """

    seq: int
    speaker: str  # ME, BOT, or the name of the member of staff who speaks
    text: str = field(repr=False)
    at: datetime
    buttons: tuple[Button, ...] = ()
    asks: str | None = None
    link: str | None = None  # hosted payment page
    large: bool = False


@dataclass(frozen=True, slots=True)
class Sms:
    """A message on the person's other phone; in the demo one-time codes arrive there."""

    at: datetime
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Liking:
    """How the person wants to be served, as the conversation remembers it."""

    locale: str = "zh"
    large: bool = False


class Talks(Protocol):
    """The residents' side. Every word goes through the one door; a repeated event id gets the stored outcome."""

    async def residents(self, locale: str) -> list[Resident]:
        """The people of the demo town, in the order in which they are shown."""

    async def say(self, person: PersonId, text: str, event_id: str) -> None:
        """The person wrote this."""

    async def press(self, person: PersonId, token: str, event_id: str) -> None:
        """The person pressed a button. A forged or expired token is answered in the talk, not here."""

    async def keys(self, person: PersonId, digits: str, event_id: str) -> None:
        """The person sent digits from the keypad on the screen."""

    async def history(self, person: PersonId, since_seq: int = 0) -> list[Entry]:
        """What was said after `since_seq`, oldest first."""

    async def phone(self, person: PersonId) -> list[Sms]:
        """What lies on the person's other phone, oldest first. Only the demo town has one to look at."""

    async def liking(self, person: PersonId) -> Liking:
        """Language and letter size the conversation keeps."""

    async def prefer(self, person: PersonId, *, locale: str | None = None, large: bool | None = None) -> None:
        """Keeps what was chosen with the page's own buttons."""

    def changes(self, person: PersonId) -> AsyncIterator[None]:
        """One item whenever the page of this person should be read again."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff who signed in."""

    id: PersonId
    name: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who wants a person, or has one. Names are masked."""

    ticket: TicketId
    person: PersonId
    name: str
    since: datetime
    reason: str
    summary: str
    large: bool = False
    mode: str = "waiting"  # waiting | human
    staff: str = ""  # who took it


@dataclass(frozen=True, slots=True)
class KnownBill:
    """An account that staff may propose to pay; the caption is masked (电费 张*芳 尾号5678)."""

    account: AccountId
    caption: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """One person's talk as staff may see it: accounts, amounts of others and names masked."""

    waiting: Waiting
    entries: tuple[Entry, ...]
    accounts: tuple[KnownBill, ...] = ()


class StaffDesk(Protocol):
    """The staff's side. A member of staff proposes; only the person confirms."""

    async def sign_in(self, name: str, password: str) -> str | None:
        """An unguessable token, or None when name and password do not belong together."""

    async def who(self, token: str) -> Colleague | None:
        """Whose token this is; None when it is unknown or over."""

    async def sign_out(self, token: str) -> None:
        """Ends the token."""

    async def queue(self, colleague: Colleague) -> list[Waiting]:
        """Who waits or is being served, longest wait first."""

    async def mirror(self, colleague: Colleague, person: PersonId) -> Mirror | None:
        """The talk of somebody in the queue; None for everybody else."""

    async def take(self, colleague: Colleague, person: PersonId, event_id: str) -> bool:
        """Takes over; False when a colleague was quicker."""

    async def say(self, colleague: Colleague, person: PersonId, text: str, event_id: str) -> bool:
        """Says something to the person; False when the talk is not this colleague's."""

    async def hand_back(
        self,
        colleague: Colleague,
        person: PersonId,
        account: AccountId | None,
        event_id: str,
        reset_pin: bool = False,
    ) -> bool:
        """Gives the talk back to the bot, with a payment or a new PIN to propose or without; False as in `say`."""

    def changes(self) -> AsyncIterator[None]:
        """One item whenever a queue or a talk should be read again."""
