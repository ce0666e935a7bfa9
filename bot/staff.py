"""The staff's side: signing in, the queue by waiting time, a mirrored talk, taking over, answering and handing back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.app import Application
from bot.web.ports import BOT, ME, Colleague, Entry, KnownBill, Mirror, Waiting
from data.events import InboundEvent, InboundKind
from data.ids import AccountId, PersonId
from data.model import Role
from data.store import journal
from data.store.engine import Tx
from dialogues import staffing
from payments.authority import people, staff

CHANNEL = "staff"


class StaffTalks:
    """What members of staff can do. They propose; only the person himself confirms."""

    def __init__(self, application: Application) -> None:
        self._app = application

    async def sign_in(self, name: str, password: str) -> str | None:
        """An unguessable token, or None."""
        at = self._app.clock.now()

        def open_shift(tx: Tx) -> str | None:
            who = _named(tx, name)
            opened = staff.sign_in(tx, who, password, at) if who else None
            return opened.token if isinstance(opened, staff.SignedIn) else None

        return await self._app.store.run(open_shift)

    async def who(self, token: str) -> Colleague | None:
        """Whose token this is."""
        at = self._app.clock.now()

        def look(tx: Tx) -> Colleague | None:
            person = staff.signed_in(tx, token, at)
            if person is None or not staffing.is_staff(tx, person):
                return None
            return Colleague(person, people.person(tx, person).name)

        return await self._app.store.run(look)

    async def sign_out(self, token: str) -> None:
        """Ends the token."""
        await self._app.store.run(lambda tx: staff.sign_out(tx, token))

    async def queue(self, colleague: Colleague) -> list[Waiting]:
        """Who waits or is being served, longest wait first; one line a person."""
        found = await self._app.store.run(lambda tx: staffing.queue(tx, colleague.id))
        lines: dict[PersonId, Waiting] = {}
        for w in found:
            lines.setdefault(w.person, _waiting(w))
        return list(lines.values())

    async def mirror(self, colleague: Colleague, person: PersonId) -> Mirror | None:
        """The talk of somebody in the queue, numbers masked; that it was read is recorded."""
        waiting = next((w for w in await self.queue(colleague) if w.person == person), None)
        if waiting is None:
            return None
        at = self._app.clock.now()

        def read(tx: Tx) -> Mirror:
            if person in staffing.serving(tx, colleague.id):
                bills = tuple(
                    KnownBill(a, c) for a, c in staffing.known_bills(tx, self._app.catalogue, person, at)
                )
            else:
                bills = ()
            lines = staffing.mirror(tx, person)
            entries = tuple(
                Entry(n, _speaker(line.speaker, waiting), line.text, line.at)
                for n, line in enumerate(lines, 1)
            )
            return Mirror(waiting, entries, bills)

        def record(tx: Tx) -> None:
            journal.record(tx, kind="data_read", person=person, actor=colleague.id, subject="talk", at=at)

        await self._app.store.run(record)
        return await self._app.store.run(read)

    async def take(self, colleague: Colleague, person: PersonId, event_id: str) -> bool:
        """Takes over; False when a colleague was quicker."""
        await self._act(colleague, person, event_id, "take_over")
        return await self._mine(colleague, person)

    async def say(self, colleague: Colleague, person: PersonId, text: str, event_id: str) -> bool:
        """Says something to the person."""
        if not await self._mine(colleague, person):
            return False
        await self._act(colleague, person, event_id, "say", text=text)
        return True

    async def hand_back(
        self,
        colleague: Colleague,
        person: PersonId,
        account: AccountId | None,
        event_id: str,
        reset_pin: bool = False,
    ) -> bool:
        """Gives the talk back to the bot, with a payment or a new PIN to propose, or without."""
        if not await self._mine(colleague, person):
            return False
        more: dict[str, Any] = {"reset_pin": True} if reset_pin else {"account": account} if account else {}
        await self._act(colleague, person, event_id, "hand_back", more=more)
        return True

    async def _mine(self, colleague: Colleague, person: PersonId) -> bool:
        return person in await self._app.store.run(lambda tx: staffing.serving(tx, colleague.id))

    async def _act(
        self,
        colleague: Colleague,
        person: PersonId,
        event_id: str,
        what: str,
        text: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> None:
        payload = {"act": what, "staff": colleague.id, **(more or {})}
        event = InboundEvent(
            CHANNEL, event_id, person, InboundKind.STAFF, self._app.clock.now(), text=text, payload=payload
        )
        await self._app.desk.serve(event)
        await self._app.carrier.deliver()

    def changes(self) -> AsyncIterator[None]:
        """One item whenever a queue or a talk should be read again."""
        return self._app.web.all_changes()


def _named(tx: Tx, name: str) -> PersonId | None:
    """The member of staff of this name or id."""
    wanted = name.strip()
    for person in people.of_role(tx, Role.OPERATOR, Role.HELPER):
        if wanted in (person.name, person.id):
            return person.id
    return None


def _waiting(w: staffing.Waiting) -> Waiting:
    return Waiting(w.ticket, w.person, w.name, w.since, w.reason, w.summary, w.large, w.mode, w.staff)


def _speaker(speaker: str, waiting: Waiting) -> str:
    return {"me": ME, "bot": BOT}.get(speaker, waiting.staff or BOT)
