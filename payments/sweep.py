"""The round over all meters and bills that somebody looks after: each is asked once, and what it says is acted on.

It walks by pages: one look over a page, one question to each biller in it, one transaction for all that said nothing new;
only those that are low, due, back again or otherwise in need of care go one by one. A round that was cut off goes on where
it stood. Reading twice does no harm: what was read before says nothing new. Why it is built so: docs/decisions/0012.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from data.catalogue import Catalogue
from data.clock import Clock
from data.ids import AccountId, BillerId, PaymentId, fresh
from data.model import Quote
from data.store.engine import Store, Tx
from integrations.ports import MOST_NUMBERS, BillerNetwork, GatewayError, OutcomeUnknown, Reason, Refused
from payments import health, looking_after, mandates, pacing, pausing, readings, rounds, unheard
from payments.debiting import Round
from payments.limits import Limits
from payments.looking_over import Asked, Look, Span, look_over, new_reading, plain
from payments.opening import till_account
from payments.pacing import Leave, Pace, jitter
from payments.rounds import Cycle, Page
from payments.taking_readings import MOMENT, take_reading
from payments.usage import keep_use

__all__ = ["Pace", "Sweep", "Swept", "take_reading"]

log = logging.getLogger("bangjiao.payments")

PAGE = MOST_NUMBERS
_AT_ONCE = timedelta(0)
_NOT_COUNTED = Leave(0, datetime.min.replace(tzinfo=UTC), 0)
_AGAIN = timedelta(minutes=5)  # an account its biller would say nothing of
_NO_ANSWER = OutcomeUnknown(Reason.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a round did. `payments` are written and wait to be carried on."""

    read: int = 0
    unreadable: int = 0
    payments: tuple[PaymentId, ...] = ()
    rests: tuple[str, ...] = ()  # why some or all automatic payments wait: nothing is debited meanwhile
    left: int = 0  # not asked yet, because their biller rests or was asked enough for now

    def __add__(self, other: Swept) -> Swept:
        return Swept(
            self.read + other.read,
            self.unreadable + other.unreadable,
            self.payments + other.payments,
            self.rests or other.rests,
            self.left + other.left,
        )


@dataclass(frozen=True, slots=True)
class _InHand:
    """Accounts one process is about to read: a page, or some that were not heard of. `leave` says whom it may ask."""

    look: Look
    page: Page | None
    leave: dict[BillerId, Leave]
    named: tuple[AccountId, ...] = ()


@dataclass(frozen=True, slots=True)
class _Heard:
    """What became of one account: an answer, none, or it was not asked (when it may be)."""

    asked: Asked
    answer: Quote | GatewayError | datetime


class Sweep:
    """Reads accounts through the biller network. Any number of processes may do it at once.

    `pace` bounds what each biller is asked, `owner` names this process: pages it held when it died are its own again.
    `hands` is how many pages are read at the same time, `page` how many accounts are on one.
    """

    def __init__(
        self,
        store: Store,
        billers: BillerNetwork,
        clock: Clock,
        catalogue: Catalogue,
        limits: Limits,
        *,
        pace: Pace | None = None,
        owner: str = "",
        hands: int = 1,
        page: int = PAGE,
    ) -> None:
        self._store = store
        self._billers = billers
        self._clock = clock
        self._catalogue = catalogue
        self._limits = limits
        self._pace = pace or Pace()
        self._owner = owner or fresh("swo")
        self._hands = hands
        self._size = page
        self._in_hand: set[tuple[str, str]] = set()

    async def run(self, every: timedelta = _AT_ONCE, spread: timedelta = _AT_ONCE) -> Swept:
        """All pages that are due now of the round under way; a new one is not begun less than `every` after the last.

        With `spread` the pages of a round are due evenly over that time: call again, soon. Without it, all at once.
        """
        cycle = await self._store.run(partial(rounds.opened, at=self._clock.now(), every=every))
        swept = Swept()
        if cycle is not None:
            swept += Swept(rests=await self._store.run(_why_it_rests))
            if self._hands == 1:
                swept += await self._walk(cycle, spread)
            else:
                for done in await asyncio.gather(*(self._walk(cycle, spread) for _ in range(self._hands))):
                    swept += done
            if await self._store.run(partial(rounds.closed, cycle=cycle, at=self._clock.now())):
                await self._ask_use()
        while (hand := await self._store.run(self._missed)) is not None:
            swept += await self._read_all(hand)
        return swept

    async def read(self, account: AccountId) -> Swept:
        """Reads one account, where somebody may have it read, and acts on what it says."""
        asked = await self._store.run(partial(self._begin, account))
        if asked is None:
            return Swept()
        try:
            quote = await self._billers.query(asked.account.biller, asked.account.number)
        except GatewayError as error:
            _say(error)
            await self._store.run(partial(self._unanswered, asked))
            return Swept(unreadable=1)
        return Swept(read=1, payments=await self._act_on(asked, quote))

    async def _walk(self, cycle: Cycle, spread: timedelta) -> Swept:
        swept = Swept()
        while (hand := await self._store.run(partial(self._next_page, cycle, spread))) is not None:
            swept += await self._read_page(hand)
        return swept

    # --- one page -------------------------------------------------------------------------------------------------

    async def _read_page(self, hand: _InHand) -> Swept:
        assert hand.page is not None
        try:
            return await self._read_all(hand)
        finally:
            self._in_hand.discard(hand.page.key)

    async def _read_all(self, hand: _InHand) -> Swept:
        """Asks, acts on what needs care one by one, and writes the rest, and that it is done, in one transaction."""
        careful = [await self._store.run(partial(self._begin, account)) for account in hand.look.careful]
        # First those that need care: where a biller lets not all be asked, they are the ones that may be low.
        asked = [*(one for one in careful if one is not None), *hand.look.asked]
        heard = await self._ask(asked, hand.leave)
        made: list[PaymentId] = []
        easy: list[tuple[Asked, Quote]] = []
        for one in heard:
            if not isinstance(one.answer, Quote):
                continue
            if plain(one.asked, one.answer, self._limits):
                easy.append((one.asked, one.answer))
            else:
                made += await self._act_on(one.asked, one.answer)
        await self._store.run(partial(self._write_down, hand, heard, easy))
        return Swept(
            read=sum(isinstance(one.answer, Quote) for one in heard),
            unreadable=sum(isinstance(one.answer, GatewayError) for one in heard),
            payments=tuple(made),
            left=sum(isinstance(one.answer, datetime) for one in heard),
        )

    def _next_page(self, cycle: Cycle, spread: timedelta, tx: Tx) -> _InHand | None:
        at = self._clock.now()
        page = rounds.take_page(
            tx, cycle, self._owner, at, size=self._size, spread=spread, in_hand=self._in_hand
        )
        if page is None:
            return None
        self._in_hand.add(page.key)
        return self._looked(tx, Span(page.after, page.upto), page)

    def _missed(self, tx: Tx) -> _InHand | None:
        """Accounts that were not heard of and may be asked again."""
        named = tuple(unheard.take_up(tx, self._clock.now(), self._size))
        return self._looked(tx, Span(named=named), None) if named else None

    def _looked(self, tx: Tx, span: Span, page: Page | None) -> _InHand:
        hand = self._hand(tx)
        look = look_over(hand, span)
        wanted: dict[BillerId, int] = {}
        for one in look.asked:
            wanted[one.account.biller] = wanted.get(one.account.biller, 0) + 1
        return _InHand(look, page, pacing.leaves(tx, self._pace, wanted, hand.at), span.named or ())

    # --- asking ---------------------------------------------------------------------------------------------------

    async def _ask(self, asked: list[Asked], leave: dict[BillerId, Leave]) -> list[_Heard]:
        """One biller after the other, each within what it may be asked; in another order on every page."""
        of_biller: dict[BillerId, list[Asked]] = {}
        for one in asked:
            of_biller.setdefault(one.account.biller, []).append(one)
        heard: list[_Heard] = []
        for biller in sorted(of_biller, key=lambda b: jitter(f"{asked[0].account.id}:{b}")):
            heard += await self._ask_biller(biller, of_biller[biller], leave.get(biller, _NOT_COUNTED))
        return heard

    async def _ask_biller(self, biller: BillerId, ones: list[Asked], leave: Leave) -> list[_Heard]:
        # The page counted those it looked over; such as are looked at with care are counted here.
        if (more := len(ones) - leave.wanted) > 0:
            leave += (await self._store.run(partial(self._more, {biller: more})))[biller]
        now, later = ones[: leave.now], ones[leave.now :]
        heard = [_Heard(one, leave.again_at) for one in later]
        for begin in range(0, len(now), MOST_NUMBERS):
            heard += await self._ask_some(biller, now[begin : begin + MOST_NUMBERS])
        return heard

    def _more(self, wanted: dict[BillerId, int], tx: Tx) -> dict[BillerId, Leave]:
        return pacing.leaves(tx, self._pace, wanted, self._clock.now())

    async def _ask_some(self, biller: BillerId, ones: list[Asked]) -> list[_Heard]:
        try:
            told = await self._billers.balances(biller, [one.account.number for one in ones])
        except Refused as error:
            _say(error)
            return [_Heard(one, error) for one in ones]
        except GatewayError as error:
            _say(error)
            at = self._clock.now()
            await self._store.run(lambda tx: pacing.silent(tx, self._pace, biller, at))
            return [_Heard(one, error) for one in ones]
        heard = [_Heard(one, told.get(one.account.number, _NO_ANSWER)) for one in ones]
        for one in heard:
            if isinstance(one.answer, GatewayError):
                _say(one.answer)
        return heard

    async def _act_on(self, asked: Asked, quote: Quote) -> tuple[PaymentId, ...]:
        made = await self._store.run(
            lambda tx: take_reading(self._hand(tx), asked.account.id, quote, asked.at)
        )
        return tuple(made)

    # --- writing down -----------------------------------------------------------------------------------------------

    def _write_down(
        self, hand: _InHand, heard: list[_Heard], easy: list[tuple[Asked, Quote]], tx: Tx
    ) -> None:
        """All that needs no care, the exceptions, and that the page is done."""
        at = self._clock.now()
        new = (new_reading(asked, quote, at) for asked, quote in easy)
        readings.write_many(tx, [one for one in new if one is not None])
        unheard.heard(tx, self._heard_again(hand, heard))
        silent = [one for one in heard if not isinstance(one.answer, Quote)]
        bills = [one.asked.account.id for one in silent if one.asked.bill]
        looking_after.set_of_many(tx, bills, bill_next=looking_after.bill_again(at, answered=False))
        missed = [*self._missed_of(silent, at), *(_missed(*one, at) for one in hand.look.missed)]
        unheard.missed(tx, missed, hand.page.cycle.heard_at if hand.page else unheard.last_heard(tx))
        pacing.answered(tx, {one.asked.account.biller for one in heard if isinstance(one.answer, Quote)})
        if hand.page is not None:
            rounds.page_done(tx, hand.page)

    def _heard_again(self, hand: _InHand, heard: list[_Heard]) -> list[AccountId]:
        """Of the exceptions: those that answered, whatever they said, and those nobody may have read any more."""
        again = [
            one.asked.account.id
            for one in heard
            if isinstance(one.answer, Quote) and (one.asked.missed or one.asked.known is None)
        ]
        still = {one.asked.account.id for one in heard} | {*dict(hand.look.missed), *hand.look.careful}
        return again + [account for account in hand.named if account not in still]

    def _missed_of(self, silent: Iterable[_Heard], at: datetime) -> list[unheard.Missed]:
        """A bill is asked for again by its own time; everything else as soon as its biller may be asked."""
        return [
            unheard.Missed(one.asked.account.id, one.asked.account.biller, one.answer)
            if isinstance(one.answer, datetime)
            else _missed(one.asked.account.id, one.asked.account.biller, at)
            for one in silent
            if not one.asked.bill
        ]

    # --- one account ------------------------------------------------------------------------------------------------

    def _hand(self, tx: Tx) -> Round:
        return Round(tx, self._clock.now(), self._limits, self._catalogue)

    def _begin(self, account: AccountId, tx: Tx) -> Asked | None:
        """Whether anybody may have this account read, and what the answer must be newer than."""
        hand = self._hand(tx)
        held = mandates.live_at(tx, account, hold=True)
        if held is not None:
            held = health.examine(hand, held)
        found = till_account(tx, account)
        whom = looking_after.for_whom(tx, found, held, hand.at)
        if found.biller not in self._catalogue.rows or whom is None:
            return None
        bill = whom[1] != "mandate" and not looking_after.is_meter(tx, found, self._catalogue)
        if bill:
            if not looking_after.bill_may_be_read(tx, account, hand.at):
                return None
            looking_after.bill_asked(tx, account, hand.at, answered=True)
        looking_after.note(tx, found, *whom, hand.at)
        return Asked(found, _after_all_known(tx, account, hand.at), bill)

    def _unanswered(self, asked: Asked, tx: Tx) -> None:
        if asked.bill:
            looking_after.bill_asked(tx, asked.account.id, self._clock.now(), answered=False)
        else:
            missed = _missed(asked.account.id, asked.account.biller, self._clock.now())
            unheard.missed(tx, [missed], unheard.last_heard(tx))

    async def _ask_use(self) -> None:
        """At most one account a round: what its earlier months used, when that was told long ago."""
        account = await self._store.run(lambda tx: looking_after.use_to_ask(tx, self._clock.now()))
        if account is None:
            return
        try:
            use = await self._billers.usage(account.biller, account.number)
        except GatewayError as error:
            log.info("the use of earlier months was not told: %s", error.reason)
            return
        await self._store.run(lambda tx: keep_use(tx, account.id, use, self._clock.now()))


def _missed(account: AccountId, biller: BillerId, at: datetime) -> unheard.Missed:
    """Asked again after some minutes, each a little earlier or later than the others."""
    return unheard.Missed(account, biller, at + _AGAIN * (1 + jitter(account)))


def _say(error: GatewayError) -> None:
    log.info("a meter or bill could not be read: %s", error.reason)


def _after_all_known(tx: Tx, account: AccountId, at: datetime) -> datetime:
    """The instant of a question asked now: later than what we knew when we asked, also on a clock that stands."""
    last = readings.newest(tx, account)
    held = mandates.live_at(tx, account)
    known = [last.at if last else None, held.active_at if held else None]
    return max([at, *(instant + MOMENT for instant in known if instant is not None)])


def _why_it_rests(tx: Tx) -> tuple[str, ...]:
    """Said in the log of every round that debits less than it would."""
    rests = pausing.reasons(tx)
    if rests:
        log.warning("automatic payments wait: %s", "; ".join(rests))
    return rests
