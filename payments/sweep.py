"""The round over all meters and bills that somebody looks after: each is asked once, and what it says is acted on.

A round that was cut off goes on where it stood. Reading twice does no harm: what was read before says nothing new.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.clock import Clock
from data.ids import AccountId, PaymentId, fresh
from data.model import Account, Quote
from data.store.engine import Store, Tx
from data.store.mandates import mandates as mandates_table
from data.store.mandates import sweeps
from data.store.people import accounts, saved_accounts
from integrations.ports import BillerNetwork, GatewayError
from payments import (
    bill_debits,
    health,
    looking_after,
    mandates,
    pausing,
    readings,
    reminding,
    topping_up,
    warnings,
)
from payments.debiting import Round
from payments.limits import Limits
from payments.opening import till_account
from payments.quoting import overtaken
from payments.readings import Taken
from payments.terms import MandateKind, MandateState
from payments.usage import keep_use

log = logging.getLogger("bangjiao.payments")

_GOES_ON = timedelta(hours=1)  # a round cut off longer ago than this is not taken up again
_LATER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a round did. `payments` are written and wait to be carried on."""

    read: int = 0
    unreadable: int = 0
    payments: tuple[PaymentId, ...] = ()
    rests: tuple[str, ...] = ()  # why some or all automatic payments wait: nothing is debited meanwhile

    def __add__(self, other: Swept) -> Swept:
        return Swept(
            self.read + other.read,
            self.unreadable + other.unreadable,
            self.payments + other.payments,
            self.rests or other.rests,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One account about to be read. `at` lies after everything that was known of it."""

    account: Account = field(repr=False)
    at: datetime
    bill: bool  # one nobody pays by itself, read once a day


class Sweep:
    """Reads accounts through the biller network. Any number of processes may do it at once."""

    def __init__(
        self, store: Store, billers: BillerNetwork, clock: Clock, catalogue: Catalogue, limits: Limits
    ) -> None:
        self._store = store
        self._billers = billers
        self._clock = clock
        self._catalogue = catalogue
        self._limits = limits

    async def run(self, every: timedelta = timedelta(0)) -> Swept:
        """One whole round; nothing when some process began one less than `every` ago."""
        begun = await self._store.run(partial(_open_cycle, at=self._clock.now(), every=every))
        if begun is None:
            return Swept()
        cycle, cursor = begun
        swept = Swept(rests=await self._store.run(_why_it_rests))
        while (account := await self._store.run(partial(_next_after, cursor=cursor))) is not None:
            swept += await self.read(account)
            cursor = account
            await self._store.run(partial(_stands_at, cycle=cycle, cursor=cursor))
        await self._ask_use()
        await self._store.run(partial(_close_cycle, cycle=cycle, at=self._clock.now()))
        return swept

    async def read(self, account: AccountId) -> Swept:
        """Reads one account, where somebody may have it read, and acts on what it says."""
        asked = await self._store.run(partial(self._begin, account))
        if asked is None:
            return Swept()
        try:
            quote = await self._billers.query(asked.account.biller, asked.account.number)
        except GatewayError as error:
            log.info("a meter or bill could not be read: %s", error.reason)
            await self._store.run(partial(self._unanswered, asked))
            return Swept(unreadable=1)
        made = await self._store.run(
            lambda tx: take_reading(self._hand(tx), asked.account.id, quote, asked.at)
        )
        return Swept(read=1, payments=tuple(made))

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

    def _hand(self, tx: Tx) -> Round:
        return Round(tx, self._clock.now(), self._limits, self._catalogue)

    def _begin(self, account: AccountId, tx: Tx) -> _Asked | None:
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
        return _Asked(found, _after_all_known(tx, account, hand.at), bill)

    def _unanswered(self, asked: _Asked, tx: Tx) -> None:
        if asked.bill:
            looking_after.bill_asked(tx, asked.account.id, self._clock.now(), answered=False)


def take_reading(hand: Round, account: AccountId, quote: Quote, asked_at: datetime) -> list[PaymentId]:
    """What a meter or bill says, acted on; gives the payments written. Late, repeated and backward readings change nothing.

    `asked_at` is when it was asked; what was written off since is not in the answer, which is then left alone.
    """
    # What was known when it was asked is known now, whatever the clock of this process says since.
    hand = replace(hand, at=max(hand.at, asked_at))
    tx = hand.tx
    if overtaken(tx, account, asked_at):
        return []
    payer = mandates.live_at(tx, account)
    if payer is not None:
        tx.alone(f"purse:{payer.payer}")
        if topping_up.wait_a_little(hand, payer, quote):
            mandates.note(tx, payer.id, read_at=hand.at)
            return []
    taken = Taken.NEW
    if quote.balance is not None:
        taken = readings.take(tx, account, quote.balance, quote.daily_use, asked_at, hand.at)
    if taken is Taken.STALE:
        return []
    return _act_on(hand, account, quote, asked_at, new=taken is Taken.NEW)


def _act_on(
    hand: Round, account: AccountId, quote: Quote, asked_at: datetime, *, new: bool
) -> list[PaymentId]:
    tx = hand.tx
    held = mandates.live_at(tx, account, hold=True)
    if held is not None:
        mandates.note(tx, held.id, read_at=hand.at)
        warnings.over(tx, account, hand.at, frozenset({"mandate_unread"}))
    reading = readings.newest(tx, account) if quote.balance is not None else None
    made: PaymentId | None = None
    if held is not None and held.terms.kind is MandateKind.BILL_DEBIT and reading is None:
        made = bill_debits.act_on(hand, held, quote, asked_at)
    elif held is not None and held.terms.kind is MandateKind.TOP_UP and reading is not None:
        made = topping_up.act_on(hand, held, quote, reading, asked_at, new=new)
    pays = held is not None and held.state is MandateState.ACTIVE and not topping_up.gave_up(hand, held)
    if reading is not None and not pays:
        reminding.look(hand, till_account(tx, account), reading)
    if reading is None and not pays:
        reminding.look_at_bill(hand, till_account(tx, account), quote)
    return [made] if made else []


def _after_all_known(tx: Tx, account: AccountId, at: datetime) -> datetime:
    """The instant of a question asked now: later than what we knew when we asked, also on a clock that stands."""
    last = readings.newest(tx, account)
    held = mandates.live_at(tx, account)
    known = [last.at if last else None, held.active_at if held else None]
    return max([at, *(instant + _LATER for instant in known if instant is not None)])


def _why_it_rests(tx: Tx) -> tuple[str, ...]:
    """Said in the log of every round that debits less than it would."""
    rests = pausing.reasons(tx)
    if rests:
        log.warning("automatic payments wait: %s", "; ".join(rests))
    return rests


# --- where the round stands -----------------------------------------------------------------------------------------


def _open_cycle(tx: Tx, at: datetime, every: timedelta) -> tuple[str, AccountId] | None:
    tx.alone("sweep")
    last = tx.conn.execute(sa.select(sweeps).order_by(sweeps.c.seq.desc()).limit(1)).first()
    if last is not None and at - last.started_at < every:
        return None
    if last is not None and last.finished_at is None and at - last.started_at < _GOES_ON:
        tx.conn.execute(sa.update(sweeps).where(sweeps.c.cycle == last.cycle).values(started_at=at))
        return last.cycle, AccountId(last.cursor)
    cycle = fresh("swp")
    tx.conn.execute(sa.insert(sweeps).values(cycle=cycle, cursor="", started_at=at))
    return cycle, AccountId("")


def _next_after(tx: Tx, cursor: AccountId) -> AccountId | None:
    """The next account somebody keeps, or that is or was paid by itself: the reminder stays when that is stopped."""
    agreed = mandates_table.c.active_at.is_not(None)
    kept = sa.or_(
        accounts.c.id.in_(sa.select(saved_accounts.c.account)),
        accounts.c.id.in_(sa.select(mandates_table.c.account).where(agreed)),
    )
    query = sa.select(accounts.c.id).where(accounts.c.id > cursor, kept)
    found = tx.conn.scalar(query.order_by(accounts.c.id).limit(1))
    return None if found is None else AccountId(found)


def _stands_at(tx: Tx, cycle: str, cursor: AccountId) -> None:
    tx.conn.execute(sa.update(sweeps).where(sweeps.c.cycle == cycle).values(cursor=cursor))


def _close_cycle(tx: Tx, cycle: str, at: datetime) -> None:
    """The round is over; those before it say nothing any more."""
    mine = sweeps.c.cycle == cycle
    tx.conn.execute(sa.update(sweeps).where(mine).values(finished_at=at))
    seq = sa.select(sweeps.c.seq).where(mine).scalar_subquery()
    tx.conn.execute(sa.delete(sweeps).where(sweeps.c.seq < seq))
