"""Laws the money rooms keep whatever is asked of them, and whoever asks at the same time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.clock import VirtualClock
from data.money import Money
from data.store.payments import payments
from payments.acts import AlreadyConfirmed, Confirmed, Evidence, Proposed
from payments.acts import view as act_view
from payments.asking import Ask, Task
from payments.quoting import HolderFound
from payments.states import read
from tests.payments.household import (
    CHENGFS,
    CHENM,
    E_LI,
    E_ZHANG,
    LIJG,
    LIMIN,
    W_CHENG,
    W_LI,
    XIAOZHOU,
    ZHANGGF,
    House,
    lend_purse,
)
from tests.simulation.explorer import START, fresh_store

PEOPLE = (CHENM, ZHANGGF, LIMIN, LIJG, CHENGFS, XIAOZHOU)
ACCOUNTS = (E_ZHANG, W_LI, E_LI, W_CHENG)

yes = st.fixed_dictionaries(
    {
        "by": st.sampled_from(PEOPLE),
        "kind": st.sampled_from(["word", "key", "button", "spoken"]),
        "factor": st.sampled_from([None, "pin", "code"]),
        "channel": st.sampled_from(["telegram", "voice"]),
        "tampered": st.booleans(),
    }
)
wish = st.fixed_dictionaries(
    {
        "person": st.sampled_from(PEOPLE),
        "account": st.sampled_from(ACCOUNTS),
        "fen": st.sampled_from([None, 1, 1_000, 5_000, 3_120, 4_650, 12_345, 60_000]),
        "channel": st.sampled_from(["telegram", "voice"]),
        "method": st.sampled_from(["auto", "purse", "hosted"]),
        "yeses": st.lists(yes, max_size=3),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(wish, min_size=1, max_size=5))
def test_nothing_is_collected_without_a_recorded_yes_to_exactly_that(wishes: list[dict[str, Any]]) -> None:
    """L1: each capture has an act, confirmed by the one who was asked, naming account, amount and payer."""
    house = House.over(fresh_store(), VirtualClock(START))
    house.store.run_now(lambda tx: lend_purse(tx, house.now))
    asyncio.run(_live(house, wishes))
    for number in list(house.town.orders):
        house.town.pay_page(number)
    for number, amount in house.town.captures:
        payment = house.store.run_now(lambda tx, number=number: _by_number(tx, number))
        act = house.store.run_now(lambda tx, payment=payment: act_view(tx, payment.act))
        line = act.lines[payment.line]
        assert act.evidence is not None
        assert act.evidence["by"] == act.confirmer
        assert (line.account, line.amount) == (payment.account, amount)
        assert act.payer == payment.payer
        if line.method == "purse" and act.channel != "voice":
            assert act.evidence["factor"] in ("pin", "code")
    asyncio.run(house.runner.due())
    assert house.breaches(at_rest=False) == []


async def _live(house: House, wishes: list[dict[str, Any]]) -> None:
    for asked in wishes:
        quoted = await house.quoting.quote(asked["person"], asked["account"])
        if type(quoted).__name__ == "Trouble":
            continue
        amount = Money(asked["fen"]) if asked["fen"] else None
        act = await house.propose(
            asked["person"], asked["account"], amount, channel=asked["channel"], method=asked["method"]
        )
        if not isinstance(act, Proposed):
            continue
        for said in asked["yeses"]:
            said = dict(said)
            digest = "0" * 64 if said.pop("tampered") else act.digest
            done = await house.confirm(act.act, digest, **said)
            if isinstance(done, Confirmed):
                await house.runner.advance_now(done.payments)


def _by_number(tx: Any, number: str) -> Any:
    return read(tx, tx.conn.scalar(sa.select(payments.c.id).where(payments.c.number == number)))


# --- at the same moment ---------------------------------------------------------------------------------------------


async def test_eight_taps_at_the_same_moment_are_one_payment(house: House) -> None:
    act = await house.proposed(CHENM, E_ZHANG)

    def tap(n: int) -> Any:
        evidence = Evidence(f"ev-{n}", "telegram", CHENM, "button", "code")
        return house.store.run_now(
            lambda tx: house.till.confirm(tx, act=act.act, digest=act.digest, evidence=evidence, at=house.now)
        )

    with ThreadPoolExecutor(8) as hands:
        done = list(hands.map(tap, range(8)))
    assert sum(isinstance(d, Confirmed) for d in done) == 1
    assert sum(isinstance(d, AlreadyConfirmed) for d in done) == 7
    assert len({d.payments for d in done}) == 1


async def test_yeses_at_the_same_moment_do_not_pass_the_months_cap_together(house: House) -> None:
    house.store.run_now(lambda tx: lend_purse(tx, house.now, per_month=Money(14_000)))
    acts = [
        await house.proposed(LIJG, E_LI, Money(10_000), channel="voice"),
        await house.proposed(LIJG, W_LI, channel="voice"),
    ]

    def key(act: Proposed) -> Any:
        evidence = Evidence(f"ev-{act.act}", "voice", LIJG, "key", None)
        return house.store.run_now(
            lambda tx: house.till.confirm(tx, act=act.act, digest=act.digest, evidence=evidence, at=house.now)
        )

    with ThreadPoolExecutor(2) as hands:
        done = list(hands.map(key, acts))
    assert sorted(type(d).__name__ for d in done) == ["Confirmed", "Refusal"]
    assert house.breaches(at_rest=False) == []


async def test_runners_at_the_same_moment_collect_once(house: House) -> None:
    payment = await house.confirmed(CHENM, E_ZHANG)
    houses = [House.over(house.store, house.clock, house.town, owner=f"p{n}") for n in range(6)]
    await asyncio.gather(*(h.runner.advance_now([payment]) for h in houses))
    assert len(house.town.captures) == len(house.town.posts) == 1
    assert house.breaches() == []


# --- what stays outside ---------------------------------------------------------------------------------------------


def test_no_account_number_or_token_shows_in_a_repr() -> None:
    house = House.over(fresh_store(), VirtualClock(START))
    payment = asyncio.run(house.confirmed(CHENM, E_ZHANG))
    row = house.store.run_now(lambda tx: read(tx, payment))
    task = Task(Ask.COLLECT, row, "0319001200345678", "token-chenm", "广州电力 5678")
    found = HolderFound("gz-electricity", "electricity", "0319001200345678", "张*芳")
    text = f"{task!r} {found!r} {house.view(payment)!r}"
    assert "0319001200345678" not in text
    assert "token-chenm" not in text


def test_the_log_carries_no_account_number(caplog) -> None:
    house = House.over(fresh_store(), VirtualClock(START))
    house.town.fault = lambda op: "broken"
    asyncio.run(house.paid(CHENM, E_ZHANG))
    asyncio.run(house.tell("wrong", id="x", order="y", status="paid", fen=1))
    assert "broke" in caplog.text
    assert "0319001200345678" not in caplog.text
    assert "token-chenm" not in caplog.text


def test_the_till_starts_without_the_durable_engine() -> None:
    """DBOS costs 0.4 s to import: only the worker pays for it."""
    code = "import sys, payments.till, payments.durable, payments.callbacks; print('dbos' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
