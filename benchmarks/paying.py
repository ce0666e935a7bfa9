"""What it costs that a payment happens exactly once: durable payments beside the same HTTP calls with nothing written down."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from benchmarks.figures import Row, Spread, Stopwatch, why_missed
from benchmarks.starting import cpu_of
from bot.app import Application, build
from bot.demo import Town, sandbox
from bot.settings import Settings
from data.clock import SystemClock
from data.ids import AccountId, ActId, BillerId, InstrumentId, OrderNumber, PersonId, fresh
from data.model import Instrument, Person, Utility
from data.money import Money
from data.store.engine import Store, Tx
from data.town import World, load_world
from data.town.world import TownAccount, TownInstrument, TownPerson
from integrations.ports import Charge, PostPayment, Settled
from integrations.sandbox.control import SandboxControl
from payments.acts import Confirmed, Evidence, LineWish, Proposed
from payments.authority.enrol import enrol_world
from payments.quoting import Quoted
from payments.states import State
from tests.databases import SEALER, Databases

KINDS = ("sqlite", "postgresql")
_AMOUNT = Money(1_000)
_BILLER = BillerId("bj-electricity")
Tell = Callable[[str], None]
Pay = Callable[[int], Awaitable[None]]


def crowd(households: int) -> World:
    """A town of households, each with one prepaid meter that its owner tops up from his own full purse."""
    known = load_world()
    homes = range(households)
    return replace(
        known,
        people={p.id: p for p in map(_owner, homes)},
        accounts={a.id: a for a in map(_meter, homes)},
        instruments={i.instrument.id: i for i in map(_purse, homes)},
        saved={_owner(n).id: (_meter(n).id,) for n in homes},
        grants=(),
        relations=(),
        usage_history={},
    )


def _owner(n: int) -> TownPerson:
    return TownPerson(Person(PersonId(f"owner{n}"), f"王{n}"), "web")


def _meter(n: int) -> TownAccount:
    number = f"11{n:08d}"
    meter = AccountId(f"E-{n}")
    return TownAccount(
        meter,
        _BILLER,
        Utility.ELECTRICITY,
        number,
        f"王{n}",
        _owner(n).id,
        balance=Money(500),
        daily_use=Money(100),
    )


def _purse(n: int) -> TownInstrument:
    purse = Instrument(InstrumentId(f"pm-{n}"), _owner(n).id, f"purse-bench-{n:04d}")
    return TownInstrument(purse, Money(100_000_000))


def durable(databases: Databases, households: int, rounds: int, tell: Tell) -> list[Row]:
    """Payments a second of one process, quoted, proposed, confirmed, collected and written off, on both databases.

    The peer asks the same sandbox for the same three things (quote, charge, posting) through the same ports and
    writes nothing down. One top-up of each household at once; each round pays ours on both databases and the
    peer's in turn. The second factor is not in it: checking a PIN is made to be slow.
    """
    with tempfile.TemporaryDirectory(prefix="bangjiao-pay-") as folder, ExitStack() as kept:
        town = kept.enter_context(sandbox(Path(folder), clock="system"))
        world = crowd(households)
        asyncio.run(_settle(town, world))
        urls = {kind: kept.enter_context(databases.url(kind)) for kind in KINDS}
        found = asyncio.run(_in_turn(town, world, urls, rounds, tell))
    return [_row(kind, found) for kind in KINDS]


async def _settle(town: Town, world: World) -> None:
    control = SandboxControl(town.url, town.control_token)
    await control.load_world(world, SystemClock().now())
    await control.aclose()


@dataclass(frozen=True)
class _Round:
    """One round: payments a second, processor milliseconds a payment of ours and of the sandbox's process."""

    rate: float
    cpu_ms: float
    sandbox_ms: float


async def _in_turn(
    town: Town, world: World, urls: dict[str, str], rounds: int, tell: Tell
) -> dict[str, list[_Round]]:
    apps = {kind: _application(town, world, url) for kind, url in urls.items()}
    ways = {kind: _durably(app, world) for kind, app in apps.items()}
    ways["bare"] = _barely(apps["sqlite"], world)
    found: dict[str, list[_Round]] = {name: [] for name in ways}
    for n in range(rounds + 1):
        for name, pay in ways.items():
            tell(f"payments, round {n} of {rounds}, {name}")
            found[name].append(await _round(pay, len(world.accounts), town.pid))
    for app in apps.values():
        await app.close()
    return {name: rounds_[1:] for name, rounds_ in found.items()}


def _application(town: Town, world: World, url: str) -> Application:
    store = Store.open(url, SEALER)
    settings = Settings(gateway_url=town.url, gateway_secret=SecretStr(town.secret))
    store.run_now(lambda tx: enrol_world(tx, world, SystemClock().now()))
    return build(settings, store=store)


async def _round(pay: Pay, households: int, sandbox_pid: int) -> _Round:
    before = cpu_of(sandbox_pid)
    with Stopwatch() as watch:
        await asyncio.gather(*(pay(n) for n in range(households)))
    spent = cpu_of(sandbox_pid) - before
    return _Round(households / watch.ms * 1e3, watch.cpu_ms / households, spent / households)


def _durably(app: Application, world: World) -> Pay:
    async def pay(n: int) -> None:
        owner, meter = _owner(n).id, _meter(n).id
        quoted = await app.desk.quoting.quote(owner, meter)
        assert isinstance(quoted, Quoted), quoted
        wish = LineWish(meter, quoted.quote.id, _AMOUNT)
        act = await app.store.run(lambda tx: _proposed(app, tx, owner, wish))
        made = await app.store.run(lambda tx: _confirmed(app, tx, owner, act))
        (progress,) = await app.runner.advance_now(made.payments)
        assert progress.state is State.SETTLED, progress

    return pay


def _proposed(app: Application, tx: Tx, owner: PersonId, wish: LineWish) -> Proposed:
    act = app.till.propose(tx, proposer=owner, wishes=[wish], channel="web", at=app.clock.now())
    assert isinstance(act, Proposed), act
    return act


def _confirmed(app: Application, tx: Tx, owner: PersonId, act: Proposed) -> Confirmed:
    yes = Evidence(fresh("bench"), "web", owner, "word", "pin")
    made = app.till.confirm(tx, act=ActId(act.act), digest=act.digest, evidence=yes, at=app.clock.now())
    assert isinstance(made, Confirmed), made
    return made


def _barely(app: Application, world: World) -> Pay:
    async def pay(n: int) -> None:
        meter, purse, number = _meter(n), _purse(n).instrument, OrderNumber(fresh("bench", 24))
        quote = await app.billers.query(_BILLER, meter.number)
        paid = await app.rail.charge(Charge(number, purse.id, purse.token, _AMOUNT, _BILLER))
        assert isinstance(paid, Settled), paid
        posted = await app.billers.post(PostPayment(number, _BILLER, meter.number, quote.id, _AMOUNT))
        assert isinstance(posted, Settled), posted

    return pay


def _row(kind: str, found: dict[str, list[_Round]]) -> Row:
    ours, bare = found[kind], found["bare"]
    rate, peer = Spread.of(x.rate for x in ours), Spread.of(x.rate for x in bare)
    cpu = Spread.of(x.cpu_ms for x in ours).median
    met = rate.median >= 40
    return Row(
        f"durable payments a second against the sandbox, one process, {kind}", "1/s", rate,
        "the same HTTP calls, nothing written down", peer, rate.median / peer.median, "≥ 40/s", met,
        "" if met else why_missed(cpu, 1e3 / rate.median), cpu,
        {
            "peer_cpu_ms": Spread.of(x.cpu_ms for x in bare).median,
            "sandbox_cpu_ms": Spread.of(x.sandbox_ms for x in ours).median,
            "per_second_of_a_whole_core": 1e3 / cpu,
        },
    )  # fmt: skip
