"""Carries letters from the outbox to their channels: at once when they were just written, later when that failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.channels import Channel, Delivery
from bot.retrying import schedule_of
from data.clock import Clock
from data.ids import PersonId
from data.store import letters
from data.store.engine import Store, Tx
from data.store.letters import Letter, News
from dialogues import wire
from payments import not_told
from payments.authority import wishes

log = structlog.get_logger("bangjiao.carrier")

_LEASE = timedelta(seconds=30)
_FRESH = timedelta(minutes=1)  # what was written so lately is still so
_WAITS = timedelta(minutes=30)  # what was said at night was said to somebody who is up, so long
_DOUBTS = 1  # a notice whose carrier died goes out once more; the second death gives it up on this road

# Whether a piece of news is still so: a meter may have been filled while its channel did not answer.
StillSo = Callable[[Tx, News, datetime], bool]


def always(_tx: Tx, _news: News, _at: datetime) -> bool:
    """Nothing is looked at again."""
    return True


class Carrier:
    """Takes each letter to the channel it is for. A letter is marked in hand before it goes and when it was taken, so a notice
    comes at most once more than that; one whose time with us is over is left to whoever has it now."""

    def __init__(
        self, store: Store, channels: Mapping[str, Channel], clock: Clock, still_so: StillSo = always
    ) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock
        self._still_so = still_so

    async def deliver(self, person: PersonId | None = None) -> int:
        """Everything that can go out now, for one person or for everybody; gives how many letters were taken in hand."""
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
            if _plain(letter, at) or await self._store.run(partial(self._may_go, letter)):
                delivery = await channel.send(letter.person, wire.load_said(letter.body))
                await self._store.run(partial(self._note, letter, delivery))
        return len(found)

    def _may_go(self, letter: Letter, tx: Tx) -> bool:
        """Looked at once more before a letter goes that has waited: it may be no longer so, or have gone out twice."""
        at = self._clock.now()
        news = letters.news_told_by(tx, letter)
        if (news is not None and letter.doubts > _DOUBTS) or letter.tries > schedule_of(news).tries:
            self._give_up(tx, letter, "given_up", at)
            return False
        if news is None or self._still_so(tx, news, at):
            return True
        letters.end(tx, letter.id, "superseded", at)
        log.info("letter superseded", letter=letter.id, kind=news.kind)
        return False

    def _note(self, letter: Letter, delivery: Delivery, tx: Tx) -> None:
        at = self._clock.now()
        match delivery:
            case Delivery.TAKEN | Delivery.SHOWN:
                letters.mark_sent(tx, letter.id, at, shown=delivery is Delivery.SHOWN)
            case Delivery.NEVER:
                self._give_up(tx, letter, "failed", at)
            case Delivery.LATER:
                self._later(tx, letter, at)

    def _later(self, tx: Tx, letter: Letter, at: datetime) -> None:
        news = letters.news_told_by(tx, letter)
        schedule = schedule_of(news)
        if letter.tries >= schedule.tries:
            self._give_up(tx, letter, "given_up", at)
            return
        again = at + schedule.wait(letter)
        log.warning("letter not taken", letter=letter.id, channel=letter.channel, tries=letter.tries)
        letters.mark_later(tx, letter.id, again if news is None else _by_day(tx, letter, news, again))

    def _give_up(self, tx: Tx, letter: Letter, state: str, at: datetime) -> None:
        """Not on this road. A notice takes the person's next one; what may not be lost comes to a person of ours at last."""
        if not letters.end(tx, letter.id, state, at):
            return
        following = not_told.lost(tx, letter, self._channels.keys(), at)
        log.warning("letter %s", state, letter=letter.id, channel=letter.channel, next_road=following)


def _plain(letter: Letter, at: datetime) -> bool:
    """Written just now and never tried: nothing need be looked at again."""
    return letter.tries == 1 and not letter.doubts and at - letter.created_at < _FRESH


def _by_day(tx: Tx, letter: Letter, news: News, again: datetime) -> datetime:
    """A second try disturbs like a first one: at night only what is urgent, and what answers somebody who waits (L12)."""
    quiet = wishes.quiet_for(tx, news.person, news.kind, news.body)
    waits = quiet.holds(letter.created_at) and again - letter.created_at <= _WAITS
    return quiet.over(again) if quiet.holds(again) and not (waits or news.body.get("urgent")) else again
