"""Where stories begin: a household at one moment of a payment, brought there by the till itself and kept for thousands of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random

from data.clock import VirtualClock
from data.ids import AccountId, ActId, PersonId, thrown_by
from data.model import May
from data.money import Money
from data.store.engine import Sealer
from integrations.ports import Reason
from payments.acts import Confirmed, Evidence, Proposed
from payments.authority import access
from payments.runner import due_payments
from payments.simulation import town as ways
from payments.simulation.dying import at_once
from payments.simulation.household import (
    CHENM,
    E_LI,
    E_ZHANG,
    LIJG,
    LIMIN,
    W_LI,
    ZHANGGF,
    House,
    lend_purse,
    new_town,
)
from payments.simulation.stage import Stage
from payments.simulation.town import Town
from payments.terms import MandateKind, ProposedMandate, Terms

START = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)  # nine in the morning in Shanghai
METER, WATER = "1100223344", "2200556677"
LENT = Money(40_000)  # what the father may spend of his daughter's purse in a month
TOP_UP = Terms(
    MandateKind.TOP_UP,
    E_LI,
    per_charge=Money(10_000),
    per_month=Money(20_000),
    valid_until=date(2027, 3, 10),
    below=Money(2_000),
    amount=Money(10_000),
)
BILL = Terms(
    MandateKind.BILL_DEBIT,
    W_LI,
    per_charge=Money(10_000),
    per_month=Money(20_000),
    valid_until=date(2027, 3, 10),
)
_WORDS = "李*国,一个月最多200元"


@dataclass(frozen=True)
class ReadBack:
    """Something that waits for a yes."""

    act: ActId
    digest: str
    by: PersonId


@dataclass
class Ground:
    """A beginning: the store as it stands, the town as it stands, and what was read back to whom."""

    stage: Stage
    town: Town
    read_back: list[ReadBack] = field(default_factory=list)
    agreed: set[ActId] = field(default_factory=set)
    mandate: str = ""
    lows: int = 0  # how often the meter was low, read or about to be
    lent: bool = False  # a purse with a cap of a month is lent


class Setting:
    """What the scenes below build with."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.stage = Stage.empty(Sealer.from_secret("a simulated town has no secrets"))
        self.town = new_town(self.clock)
        self.house = House.over(self.stage, self.clock, self.town)
        self.house.enrol()
        self.ground = Ground(self.stage, self.town)

    async def read_back(
        self, person: PersonId, account: AccountId, amount: Money | None = None, method: str = "auto"
    ) -> ReadBack:
        channel = "voice" if person == LIJG else "telegram"
        act = await self.house.proposed(person, account, amount, channel=channel, method=method)
        waits = ReadBack(act.act, act.digest, act.confirmer)
        self.ground.read_back.append(waits)
        return waits

    async def said_yes(self, waits: ReadBack) -> None:
        done = await self.house.confirm(waits.act, waits.digest, waits.by, kind="key", factor="pin")
        assert isinstance(done, Confirmed), done
        self.ground.agreed.add(waits.act)

    async def carried_on(self) -> None:
        await self.house.runner.due()

    def agree_to(self, terms: Terms) -> None:
        """The daughter lets her father's bills be paid by themselves."""
        house = self.house
        house.store.run_now(lambda tx: access.grant(tx, LIJG, LIMIN, [May.MANDATE], house.now))
        act = house.store.run_now(
            lambda tx: house.till.propose_mandate(
                tx, proposer=LIMIN, terms=terms, channel="telegram", at=house.now
            )
        )
        assert isinstance(act, ProposedMandate), act
        yes = Evidence("ev", "telegram", LIMIN, "word", "code", _WORDS, "utter_read@1")
        done = house.store.run_now(
            lambda tx: house.till.confirm(tx, act=act.act, digest=act.digest, evidence=yes, at=house.now)
        )
        assert isinstance(done, Confirmed), done
        made = house.store.run_now(lambda tx: house.till.mandate_of_act(tx, act.act, house.now))
        self.ground.mandate, self.ground.lows = made.id, 1
        self.town.pass_time(timedelta(minutes=5))


# --- one payment ----------------------------------------------------------------------------------------------------


async def two_read_backs(s: Setting) -> None:
    await s.read_back(CHENM, E_ZHANG)
    await s.read_back(ZHANGGF, E_ZHANG, method="hosted")


async def confirmed(s: Setting) -> None:
    await s.said_yes(await s.read_back(CHENM, E_ZHANG))


async def page_open(s: Setting) -> None:
    await s.said_yes(await s.read_back(ZHANGGF, E_ZHANG, method="hosted"))
    await s.carried_on()


async def taken(s: Setting) -> None:
    s.town.refuses_posting = Reason.BILLER_CLOSED
    await confirmed(s)
    await s.carried_on()
    s.town.refuses_posting = None


async def taken_and_refused(s: Setting) -> None:
    s.town.refuses_posting = Reason.NOT_PAYABLE_ONLINE
    await confirmed(s)


async def going_back(s: Setting) -> None:
    """Two steps of the worker: taken, and refused by the biller."""
    await taken_and_refused(s)
    due = await s.house.store.run(lambda tx: due_payments(tx, s.clock.now()))
    for _ in range(2):
        await s.house.advance.step(due[0][0], "setting")


async def unknown(s: Setting) -> None:
    s.town.fault = lambda _operation: ways.REQUEST_LOST
    await confirmed(s)
    await s.carried_on()
    s.town.fault = lambda _operation: ways.OK


async def unknown_for_long(s: Setting) -> None:
    await unknown(s)
    s.town.fault = lambda _operation: ways.REQUEST_LOST
    for minutes in (20, 20):
        s.town.pass_time(timedelta(minutes=minutes))
        await s.carried_on()
    s.town.fault = lambda _operation: ways.OK


async def declined(s: Setting) -> None:
    s.town.declines = Reason.INSUFFICIENT_FUNDS
    await confirmed(s)
    await s.carried_on()
    s.town.declines = None


async def forgetful_rail(s: Setting) -> None:
    s.town.memory = s.town.records = timedelta(
        minutes=20
    )  # more than twice as long as any request is held up
    await confirmed(s)


async def forgotten(s: Setting) -> None:
    """Half an hour's power cut, longer than the rail remembers the number it took the money under."""
    await forgetful_rail(s)
    s.town.fault = lambda _operation: ways.ANSWER_LOST
    await s.carried_on()
    s.town.fault = lambda _operation: ways.OK
    s.town.pass_time(timedelta(minutes=25))


# --- a purse that is lent -------------------------------------------------------------------------------------------


async def lent_purse(s: Setting) -> None:
    s.house.store.run_now(lambda tx: lend_purse(tx, s.clock.now(), per_month=LENT))
    s.ground.lent = True
    s.town.due[WATER] = Money(20_000)
    await s.said_yes(await s.read_back(LIJG, E_LI, Money(20_000)))
    await s.carried_on()
    await s.read_back(LIJG, W_LI)
    await s.read_back(LIJG, E_LI, Money(10_000))
    # A line in flight while the next yes is looked at: the water bill is confirmed and not sent.
    await s.said_yes(s.ground.read_back[1])
    del s.ground.read_back[0]


async def month_turns(s: Setting) -> None:
    """Half past midnight of the first of April in Shanghai: in Greenwich it is March for seven more hours."""
    s.clock.at = datetime(2026, 3, 31, 16, 30, tzinfo=UTC)
    s.house.store.run_now(lambda tx: lend_purse(tx, s.clock.now(), per_month=LENT))
    s.ground.lent = True
    for _ in range(2):
        await s.said_yes(await s.read_back(LIJG, E_LI, Money(20_000)))
        await s.carried_on()
    s.clock.at = datetime(2026, 4, 1, 0, 30, tzinfo=UTC)
    quoted = await s.house.propose(LIJG, E_LI, Money(20_000), channel="voice")
    if isinstance(quoted, Proposed):
        s.ground.read_back.append(ReadBack(quoted.act, quoted.digest, quoted.confirmer))


async def month_begins(s: Setting) -> None:
    """Twenty past midnight of the first of April; the rail's clock is slow, and it still writes March."""
    s.clock.at = datetime(2026, 3, 31, 16, 20, tzinfo=UTC)
    s.house.store.run_now(lambda tx: lend_purse(tx, s.clock.now(), per_payment=None, per_month=LENT))
    s.ground.lent = True
    await s.said_yes(await s.read_back(LIJG, E_LI, LENT))
    s.ground.read_back.clear()
    s.town.off = timedelta(hours=-1)


# --- by itself --------------------------------------------------------------------------------------------------------


async def low_meter(s: Setting) -> None:
    s.agree_to(TOP_UP)


async def top_up_written(s: Setting) -> None:
    s.agree_to(TOP_UP)
    await s.house.sweeper.read(E_LI)


async def bill_announced(s: Setting) -> None:
    s.agree_to(BILL)
    s.town.due_dates[WATER] = date(2026, 3, 20)
    await s.house.sweeper.read(W_LI)
    s.town.pass_time(timedelta(hours=25))


async def topped_up_and_low(s: Setting) -> None:
    """Topped up, and emptied again before anybody read it: the same low reading as before."""
    await top_up_written(s)
    await s.carried_on()
    s.town.prepaid[METER] = Money(1_500)


async def month_nearly_spent(s: Setting) -> None:
    s.agree_to(TOP_UP)
    # Never the same to the fen: that would be taken for an old reading told again.
    for fen in (1_500, 1_430):
        s.town.prepaid[METER] = Money(fen)
        await s.house.sweeper.read(E_LI)
        await s.carried_on()
        s.town.pass_time(timedelta(hours=7))
        await s.house.sweeper.read(E_LI)
        s.town.pass_time(timedelta(hours=30))
    s.town.prepaid[METER] = Money(1_470)
    s.ground.lows = 3


_WORK = (*("works",) * 4, "clock_is_set")
_RAIL = ("rail_tells", "rail_declines", "rail_is_slow")
_HANDS = ("yes", "yes", "yes_to_something_else", "yes_to_something_else", "stops", "bill_is_paid_elsewhere")
_OF_ITS_OWN = ("meter_read", "meter_read", "meter_falls", "ends_it", "ends_it", "lowers_it")

Set = Callable[[Setting], Awaitable[None]]
# Name → how it is told, how it is set, what may happen.
_SCENES: dict[str, tuple[str, Set, tuple[str, ...]]] = {
    "two_read_backs": (
        "An electricity bill of 123.45 yuan was read back to the son, who has a purse, and to his mother, who pays on a page.",
        two_read_backs,
        (*_WORK, *_RAIL, *_HANDS, "yes", "yes", "page_is_paid"),
    ),
    "confirmed": (
        "The son said yes to an electricity bill of 123.45 yuan; nothing is sent yet.",
        confirmed,
        (*_WORK, *_WORK, *_RAIL, *_HANDS, "biller_refuses"),
    ),
    "page_open": (
        "The mother was given a page on which she can pay 123.45 yuan.",
        page_open,
        (*_WORK, *_RAIL, "page_is_paid", "page_is_paid", "stops", "waits_long"),
    ),
    "taken": (
        "123.45 yuan were taken; the biller's counter is shut.",
        taken,
        (*_WORK, *("rail_tells",) * 4, "biller_refuses", "bill_is_paid_elsewhere", "stops", "waits_long"),
    ),
    "taken_and_refused": (
        "The son said yes to 123.45 yuan; his mother's biller will refuse to write it off.",
        taken_and_refused,
        (*_WORK, *_WORK, "rail_tells", "stops", "waits_long"),
    ),
    "going_back": (
        "123.45 yuan were taken and the biller refused them; now they go back.",
        going_back,
        (*_WORK, "rail_tells", "waits_long"),
    ),
    "forgotten": (
        "123.45 yuan were taken, the answer was lost, and the light was off for longer than the rail remembers.",
        forgotten,
        (*_WORK, *("rail_tells",) * 3, "stops", "waits_long"),
    ),
    "unknown": (
        "The request for 123.45 yuan got no answer.",
        unknown,
        (*_WORK, *_RAIL, "stops", "yes", "waits_long"),
    ),
    "unknown_for_long": (
        "For forty minutes nobody knows whether 123.45 yuan were taken.",
        unknown_for_long,
        (*_WORK, *_RAIL, "stops", "waits_long"),
    ),
    "declined": (
        "The rail declined 123.45 yuan, and the son was told so.",
        declined,
        (*_WORK, "late_money", "late_money", "rail_tells", "rail_tells", "yes"),
    ),
    "forgetful_rail": (
        "The son said yes to 123.45 yuan; this rail forgets its numbers after twenty minutes.",
        forgetful_rail,
        (*_WORK, *_WORK, "waits_long", "rail_is_slow", "stops"),
    ),
    "lent_purse": (
        "The father may spend 400 yuan a month of his daughter's purse: 200 are spent, 200 on their way, 100 read back.",
        lent_purse,
        (*_WORK, "yes", "yes", "yes", "purse_is_taken_back", "rail_declines", "stops"),
    ),
    "month_turns": (
        "On the first of April in Shanghai the father spent the 400 yuan a month lent to him.",
        month_turns,
        (*_WORK, "yes", "yes", "asks_again", "asks_again"),
    ),
    "month_begins": (
        "Twenty minutes into April in Shanghai the father said yes to all 400 yuan lent to him for a month; the rail still writes March.",
        month_begins,
        ("works", "works", "asks_again", "asks_again", "clock_is_set"),
    ),
    "low_meter": (
        "The father's meter holds 18.60 yuan; below 20 it is topped up with 100 from his daughter's purse, 200 a month at most.",
        low_meter,
        (*_WORK, *_OF_ITS_OWN, "meter_read", "meter_read", "rail_declines"),
    ),
    "top_up_written": (
        "A top-up of 100 yuan for the father's low meter is written and not sent yet.",
        top_up_written,
        (
            *_WORK,
            *("ends_it",) * 4,
            "meter_read",
            "meter_falls",
            "lowers_it",
            "rail_tells",
            "biller_refuses",
            "stops",
        ),
    ),
    "bill_announced": (
        "The father's water bill of 46.50 yuan was announced a day ago; now it is paid by itself.",
        bill_announced,
        (
            *_WORK,
            "bill_read",
            "bill_read",
            "bill_read",
            "bill_grows",
            "bill_grows",
            "ends_it",
            "skips_it",
            "rail_declines",
        ),
    ),
    "topped_up_and_low": (
        "The father's meter was topped up and fell below 20 yuan again before anybody read it.",
        topped_up_and_low,
        (*_WORK, *_OF_ITS_OWN, "meter_read", "meter_read"),
    ),
    "month_nearly_spent": (
        "Two top-ups of 100 yuan were made this month, which is all that was agreed, and the meter is low again.",
        month_nearly_spent,
        (*_WORK, *_OF_ITS_OWN),
    ),
}
TOLD = {name: told for name, (told, _, _) in _SCENES.items()}
MAY_HAPPEN = {name: what for name, (_, _, what) in _SCENES.items()}


@cache
def ground(name: str) -> Ground:
    """The beginning of this name, made once in a process by the till itself."""
    with thrown_by(Random(name)):  # noqa: S311 - a story, no secret
        setting = Setting()
        at_once(_set(name, setting))
    setting.stage.begin_here()
    return setting.ground


async def _set(name: str, setting: Setting) -> None:
    await _SCENES[name][1](setting)
