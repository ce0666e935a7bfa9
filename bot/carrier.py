"""Carries letters from the outbox to their channels: at once when they were just written, later when that failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.exc import OperationalError

from bot.channels import Channel, Delivery
from bot.retrying import schedule_of
from data.clock import USUAL, Clock
from data.ids import PersonId
from data.store import letters
from data.store.engine import Store, Tx
from data.store.letters import Letter, News
from dialogues import wire
from payments import not_told
from payments.authority import wishes

log = structlog.get_logger("bangjiao.carrier")

_LEASE = timedelta(seconds=30)  # for one letter: longer than any channel thinks about it
_ROUND, _MOST = timedelta(seconds=30), 50  # then the other channels have their turn
_FRESH = timedelta(minutes=1)  # what was written so lately is still so
_WAITS = timedelta(minutes=30)  # so long somebody who asked is up, and who is told something at night
# By then another process of ours, if one has this road, would have carried it.
_NOBODY = timedelta(minutes=10)
_DOUBTS = 1  # a notice whose carrier died goes out once more; the second death gives it up on this road

# Whether a piece of news is still so: a meter may have been filled while its channel did not answer.
StillSo = Callable[[Tx, News, datetime], bool]


def always(_tx: Tx, _news: News, _at: datetime) -> bool:
    """Nothing is looked at again."""
    return True


@dataclass(frozen=True, slots=True)
class _Became:
    """What became of a letter in hand; None: it did not go, and why is noted. `doubtful`: it may have gone all the same."""

    delivery: Delivery | None
    doubtful: bool = False


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
        self._not_noted: dict[str, tuple[Letter, _Became]] = {}

    async def deliver(self, person: PersonId | None = None) -> int:
        """Everything that can go out now, for one person or for everybody; gives how many letters were taken in hand."""
        taken = 0
        for channel in self._channels.values():
            taken += await self._deliver_on(channel, person)
        return taken

    async def pass_on(self) -> int:
        """Letters on a road that nobody carries go on to the person's next one; gives how many there were."""
        return await self._store.run(self._pass_on)

    def _pass_on(self, tx: Tx) -> int:
        at = self._clock.now()
        stranded = letters.on_no_road(tx, self._channels.keys(), at - _NOBODY)
        for letter in stranded:
            self._give_up(tx, letter, "given_up", at)
        return len(stranded)

    async def _deliver_on(self, channel: Channel, person: PersonId | None) -> int:
        """One after the other, so that only the letter in hand is in doubt when this process dies or its channel is slow."""
        began, taken = self._clock.now(), 0
        await self._catch_up(channel.name)
        letter = await self._store.run(partial(self._take, channel.name, person))
        while letter is not None:
            taken += 1
            became = await self._bring(channel, letter)
            more = taken < _MOST and self._clock.now() < began + _ROUND
            letter = await self._noted(letter, became, person, more)
        return taken

    async def _noted(
        self, letter: Letter, became: _Became, person: PersonId | None, more: bool
    ) -> Letter | None:
        try:
            return await self._store.run(partial(self._note, letter, became, person, more))
        except OperationalError:  # the store is away: nothing is wrong with the letter
            self._not_noted[letter.id] = letter, became
            raise

    async def _catch_up(self, channel: str) -> None:
        """Writes down what the store, while it was away, could not be told: what went out does not go a second time."""
        kept = [(letter, became) for letter, became in self._not_noted.values() if letter.channel == channel]
        for letter, became in kept:
            self._not_noted.pop(letter.id, None)
            await self._noted(letter, became, None, False)

    def _take(self, channel: str, person: PersonId | None, tx: Tx) -> Letter | None:
        found = letters.lease_letters(
            tx, channel=channel, person=person, at=self._clock.now(), lease=_LEASE, limit=1
        )
        return found[0] if found else None

    async def _bring(self, channel: Channel, letter: Letter) -> _Became:
        """One letter's trouble is its own: it waits, and the next one goes."""
        try:
            at = self._clock.now()
            if not _plain(letter, at) and not await self._store.run(partial(self._may_go, letter)):
                return _Became(None)
            said = wire.load_said(letter.body)
        except Exception:
            log.exception("a letter could not be looked at", letter=letter.id)
            return _Became(Delivery.LATER)
        try:
            return _Became(await channel.send(letter.person, said))
        except Exception:
            log.exception("a channel broke over a letter", letter=letter.id, channel=channel.name)
            return _Became(Delivery.LATER, doubtful=True)

    def _may_go(self, letter: Letter, tx: Tx) -> bool:
        """Looked at once more before a letter goes that has waited: it may be no longer so, or have gone out twice."""
        at = self._clock.now()
        news = letters.news_told_by(tx, letter)
        if (news is not None and letter.doubts > _DOUBTS) or letter.tries > schedule_of(news).tries:
            self._give_up(tx, letter, "given_up", at)
            return False
        if news is not None and not self._still_so(tx, news, at):
            letters.end(tx, letter, "superseded", at)
            log.info("letter superseded", letter=letter.id, kind=news.kind)
            return False
        if (day := _by_day(tx, letter, news, at)) > at:
            letters.mark_later(tx, letter, day, untried=True)
            return False
        return True

    def _note(
        self, letter: Letter, became: _Became, person: PersonId | None, more: bool, tx: Tx
    ) -> Letter | None:
        """What became of it is written down; the next one is taken in hand in the same breath."""
        at = self._clock.now()
        match became.delivery:
            case Delivery.TAKEN | Delivery.SHOWN:
                letters.mark_sent(tx, letter.id, at, shown=became.delivery is Delivery.SHOWN)
            case Delivery.NEVER:
                self._give_up(tx, letter, "failed", at)
            case Delivery.LATER:
                self._later(tx, letter, at, became.doubtful)
        return self._take(letter.channel, person, tx) if more else None

    def _later(self, tx: Tx, letter: Letter, at: datetime, doubtful: bool) -> None:
        news = letters.news_told_by(tx, letter)
        schedule = schedule_of(news)
        too_doubtful = news is not None and letter.doubts + doubtful > _DOUBTS
        if letter.tries >= schedule.tries or too_doubtful:
            self._give_up(tx, letter, "given_up", at)
            return
        again = _by_day(tx, letter, news, at + schedule.wait(letter))
        log.warning("letter not taken", letter=letter.id, channel=letter.channel, tries=letter.tries)
        letters.mark_later(tx, letter, again, doubtful=doubtful)

    def _give_up(self, tx: Tx, letter: Letter, state: str, at: datetime) -> None:
        """Not on this road. A notice takes the person's next one; what may not be lost comes to a person of ours at last."""
        if not letters.end(tx, letter, state, at):
            return
        following = not_told.lost(tx, letter, self._channels.keys(), at)
        log.warning("letter %s", state, letter=letter.id, channel=letter.channel, next_road=following)


def _plain(letter: Letter, at: datetime) -> bool:
    """Written just now and never tried: nothing need be looked at again."""
    return letter.tries == 1 and not letter.doubts and at - letter.created_at < _FRESH


def _by_day(tx: Tx, letter: Letter, news: News | None, at: datetime) -> datetime:
    """What goes late disturbs like what goes in time: at night only what is urgent, and what answers somebody who waits (L12)."""
    quiet = USUAL if news is None else wishes.quiet_for(tx, news.person, news.kind, news.body)
    asked_just_now = news is None or quiet.holds(letter.created_at)
    waits = asked_just_now and at - letter.created_at <= _WAITS
    urgent = news is not None and news.body.get("urgent")
    return at if waits or urgent or not quiet.holds(at) else quiet.over(at)
