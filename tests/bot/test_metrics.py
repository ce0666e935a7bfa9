"""What a monitoring program is told comes from the rows, and only this machine or who brings the token is told it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from bot import metrics
from bot.cli import app as command
from bot.web.measuring import routes
from data.clock import SystemClock, VirtualClock
from data.store.engine import Sealer, Store
from data.store.payments import pauses
from payments import alarms, pausing
from payments.doctor import INVARIANTS
from payments.simulation.household import CHENGFS, CHENM, E_ZHANG, W_CHENG, House

SECRET = "only for the tests of the operator's commands"


@pytest.fixture
def house(store: Store, clock: VirtualClock) -> House:
    made = House.over(store, clock)
    made.enrol()
    return made


def told(read: metrics.Rows) -> dict[str, float]:
    """Every figure by its name and labels, as a monitoring program reads them."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(read)
    text = generate_latest(registry).decode()
    return {
        " ".join((s.name, *s.labels.values())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def fresh(house: House) -> dict[str, float]:
    """As a process that has just started tells it."""
    return told(metrics.Rows(house.store, house.clock))


async def test_figures_are_those_of_the_rows(house: House) -> None:
    await house.paid(CHENM, E_ZHANG)
    waits = await house.confirmed(CHENGFS, W_CHENG)
    house.store.run_now(lambda tx: pausing.noticed_down(tx, "sandbox", house.now))
    house.store.run_now(
        lambda tx: pausing.pause(tx, scope="biller", subject="sh-water", reason="x", by="zhao", at=house.now)
    )
    house.clock.at += timedelta(minutes=6)
    house.store.run_now(lambda tx: alarms.look(tx, house.now))
    figures = fresh(house)
    assert figures["bangjiao_transfers_total capture"] == 1
    assert figures["bangjiao_transferred_fen_total post"] == 12_345
    assert figures["bangjiao_payments_open confirmed"] == 1
    assert figures["bangjiao_payments_open unknown"] == 0
    assert figures["bangjiao_payments_open_oldest_seconds confirmed"] == 360
    assert figures["bangjiao_payments_overdue_seconds"] == 360
    assert figures["bangjiao_rail_up"] == 0
    assert figures["bangjiao_rail_down_seconds"] == 360
    assert figures["bangjiao_pauses biller"] == 1
    assert figures["bangjiao_pauses all"] == 0
    assert figures["bangjiao_alarms rail_down"] == 1
    assert figures["bangjiao_alarms unknown"] == 0
    assert figures["bangjiao_tickets_open"] == 1
    assert figures["bangjiao_news_waiting"] == 3
    assert waits


async def test_a_restart_changes_no_figure(house: House) -> None:
    """A counter that fell to zero at a restart would hide what happened before it."""
    long_running = metrics.Rows(house.store, house.clock)
    assert told(long_running)["bangjiao_transfers_total capture"] == 0
    await house.paid(CHENM, E_ZHANG)
    long_running._kept = None  # a few seconds later
    assert told(long_running) == fresh(house)
    assert fresh(house)["bangjiao_transfers_total capture"] == 1


async def test_a_second_look_in_a_hurry_asks_the_store_nothing(house: House) -> None:
    asking = metrics.Rows(house.store, house.clock)
    first = told(asking)
    await house.paid(CHENM, E_ZHANG)
    assert told(asking) == first


async def test_two_that_ask_at_once_count_nothing_twice(house: House) -> None:
    await house.paid(CHENM, E_ZHANG)
    asking = metrics.Rows(house.store, house.clock)
    first, second = await asyncio.gather(asyncio.to_thread(told, asking), asyncio.to_thread(told, asking))
    assert first == second == fresh(house)


async def test_a_look_that_is_taken_back_and_tried_again_counts_nothing_twice(house: House) -> None:
    """A transaction that met another one runs a second time, and its first run never was."""
    await house.paid(CHENM, E_ZHANG)
    asking = metrics.Rows(house.store, house.clock)
    house.store.run_now(lambda tx: asking._read(tx, house.now))
    assert told(asking) == fresh(house)


# --- who is told ----------------------------------------------------------------------------------------------------


async def ask(token: str = "", host: str = "127.0.0.1", loopback: bool = False, **headers: str) -> int:
    from fastapi import FastAPI

    pages = FastAPI()
    pages.include_router(routes(lambda: b"turns 1\n", token, loopback))
    transport = httpx.ASGITransport(pages, client=(host, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
        return (await client.get("/metrics", headers=headers)).status_code


async def test_without_a_token_nobody_is_told_unless_this_machine_was_named() -> None:
    # Behind a proxy that adds no header everybody seems to be this machine.
    assert await ask() == 403
    assert await ask(loopback=True) == 200
    assert await ask(host="::1", loopback=True) == 200
    assert await ask(host="192.0.2.7", loopback=True) == 403
    assert await ask(loopback=True, **{"x-forwarded-for": "192.0.2.7"}) == 403


async def test_with_a_token_whoever_brings_it_is_told() -> None:
    assert await ask("a-token", authorization="Bearer a-token", host="192.0.2.7") == 200
    for shown in ("Bearer b-token", "a-token", "", "Bearer "):
        assert await ask("a-token", authorization=shown) == 403


# --- the operator's commands ------------------------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("BANGJIAO_DATABASE_URL", f"sqlite:///{tmp_path / 'house.db'}")
    monkeypatch.setenv("BANGJIAO_SECRET", SECRET)
    store = Store.open(f"sqlite:///{tmp_path / 'house.db'}", Sealer.from_secret(SECRET))
    store.migrate()
    house = House.over(store, VirtualClock(SystemClock().now()))
    house.enrol()
    store.close()
    return CliRunner()


def test_the_doctor_says_each_promise_and_fails_on_a_broken_one(shell: CliRunner, tmp_path: Path) -> None:
    well = shell.invoke(command, ["doctor", "--json"])
    report = json.loads(well.stdout)
    assert (well.exit_code, report["well"]) == (0, True)
    assert [row["invariant"] for row in report["invariants"]] == list(INVARIANTS)
    store = Store.open(f"sqlite:///{tmp_path / 'house.db'}", Sealer.from_secret(SECRET))
    card = "6222020200112233446"  # an invented number of a card's shape
    row = {"id": "pau_1", "scope": "all", "subject": "", "reason": f"卡{card}", "paused_by": "zhao"}
    store.run_now(lambda tx: tx.put_new(pauses, **row, since=SystemClock().now()))
    store.close()
    ill = shell.invoke(command, ["doctor"])
    assert ill.exit_code == 1
    assert "BROKEN  M-I14" in ill.stdout
    assert "pauses:pau_1" in ill.stdout
    assert card not in ill.stdout


def test_pausing_and_resuming_from_the_shell(shell: CliRunner) -> None:
    assert shell.invoke(command, ["pauses"]).stdout == "Nothing is paused.\n"
    assert shell.invoke(command, ["pause"]).exit_code != 0  # why is not said
    assert shell.invoke(command, ["pause", "--biller", "my-brother", "--reason", "x"]).exit_code != 0
    assert "sandbox" in shell.invoke(command, ["pause", "--rail", "sandbx", "--reason", "x"]).output
    assert shell.invoke(command, ["pauses"]).stdout == "Nothing is paused.\n"
    done = shell.invoke(command, ["pause", "--biller", "sh-water", "--reason", "doubled", "--by", "zhao"])
    assert done.stdout == "Paused.\n"
    held = json.loads(shell.invoke(command, ["pauses", "--json"]).stdout)
    assert [(p["scope"], p["subject"], p["by"], p["reason"]) for p in held["pauses"]] == [
        ("biller", "sh-water", "zhao", "doubled")
    ]
    assert shell.invoke(command, ["resume"]).stdout == "1 pause ended.\n"
    assert json.loads(shell.invoke(command, ["pauses", "--json"]).stdout)["pauses"] == []
