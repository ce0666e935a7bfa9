"""Carries letters from the outbox to their channels: at once when they were just written, later when that failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import structlog

from bot.channels import Channel, Delivery
from data.clock import Clock
from data.ids import PersonId
from data.store import letters
from data.store.engine import Store
from dialogues import wire

log = structlog.get_logger("bangjiao.carrier")

_LEASE = timedelta(seconds=30)
_TRIES = 8  # with the doubling wait below, about a day


class Carrier:
    """Takes each letter to the channel it is for. A letter goes out at least once and is marked when it was taken; one
    whose time with us is over is left to whoever has it now."""

    def __init__(self, store: Store, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock

    async def deliver(self, person: PersonId | None = None) -> int:
        """Everything that can go out now, for one person or for everybody; gives how many letters were taken."""
        taken = 0
        for channel in self._channels.values():
            taken += await self._deliver_on(channel, person)
        return taken

    async def _deliver_on(self, channel: Channel, person: PersonId | None) -> int:
        at = self._clock.now()
        found = await self._store.run(
            lambda tx: letters.lease_letters(tx, channel=channel.name, person=person, at=at, lease=_LEASE)
        )
        for taken, letter in enumerate(found):
            if self._clock.now() >= at + _LEASE:
                return taken  # we were slow, or asleep: by now somebody else may be carrying the rest
            delivery = await channel.send(letter.person, wire.load_said(letter.body))
            await self._note(letter, delivery)
        return len(found)

    async def _note(self, letter: letters.Letter, delivery: Delivery) -> None:
        at = self._clock.now()
        if delivery is Delivery.TAKEN:
            await self._store.run(lambda tx: letters.mark_sent(tx, letter.id, at))
            return
        again = at + timedelta(seconds=30 * 2**letter.tries)
        give_up = delivery is Delivery.NEVER or letter.tries >= _TRIES
        log.warning("letter not taken", letter=letter.id, channel=letter.channel, tries=letter.tries)
        await self._store.run(lambda tx: letters.mark_failed(tx, letter.id, at, None if give_up else again))
