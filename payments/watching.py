"""Looking after the rail: that it stopped answering is written down, and when it answers again who waited is told."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from data.clock import Clock
from data.store.engine import Store, Tx
from integrations.ports import PaymentRail
from payments import pausing

log = logging.getLogger("bangjiao.payments")


class RailWatch:
    """Asks the rail how it is. Any number of processes may do it; what they find is one row."""

    def __init__(self, store: Store, rail: PaymentRail, clock: Clock) -> None:
        self._store = store
        self._rail = rail
        self._clock = clock

    async def look(self) -> int:
        """One look; gives how many people are told that paying works again."""
        if not await self._store.run(partial(self._note, await self._answers())):
            return 0
        told = 0
        after: tuple[datetime, str] | None = None
        while True:
            done = await self._store.run(partial(pausing.tell_waiting, at=self._clock.now(), after=after))
            told, after = told + done.told, done.next
            if after is None:
                return told

    async def _answers(self) -> bool:
        try:
            return (await self._rail.health()).up
        except Exception as error:  # whatever breaks there, it is no answer
            log.warning("the rail's health could not be asked: %s", type(error).__name__)
            return False

    def _note(self, up: bool, tx: Tx) -> bool:
        """Writes down what is news; whether it answers."""
        at, rail = self._clock.now(), self._rail.name
        if not up:
            if pausing.noticed_down(tx, rail, at):
                log.error("alarm: the rail %s does not answer; nothing new is proposed meanwhile", rail)
            return False
        if pausing.noticed_up(tx, rail, at):
            log.warning("the rail %s answers again", rail)
        return True
