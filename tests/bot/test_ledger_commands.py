"""`bangjiao ledger` and `bangjiao reconcile`: what they say, and the exit status a night job goes by."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from bot.cli import app
from data.clock import SystemClock, VirtualClock
from data.money import Money
from data.store.engine import Sealer, Store
from data.store.payments import ledger as lines
from integrations.sandbox.control import SandboxControl
from payments import receipts
from payments.reconcile import yesterday
from payments.statements import begins
from tests.payments.household import E_LI, LIMIN, House
from tests.servers import SandboxHandle, start_sandbox

SECRET = "only for this test, never for people"


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house with one payment of yesterday in a file that the command opens."""
    url = f"sqlite:///{tmp_path}/bangjiao.db"
    monkeypatch.setenv("BANGJIAO_DATABASE_URL", url)
    monkeypatch.setenv("BANGJIAO_SECRET", SECRET)
    store = Store.open(url, Sealer.from_secret(SECRET))
    store.migrate()
    noon = begins(yesterday(SystemClock().now())) + timedelta(hours=12)
    made = House.over(store, VirtualClock(noon))
    made.enrol()
    await made.paid(LIMIN, E_LI, Money(5_000))
    yield made
    store.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def spoil(house: House, **values: Any) -> None:
    house.store.run_now(lambda tx: tx.conn.execute(sa.update(lines).where(lines.c.seq == 2).values(**values)))


def test_a_whole_book_and_a_changed_one(house: House) -> None:
    assert run("ledger", "verify").exit_code == 0
    spoil(house, amount_fen=1)
    told = run("ledger", "verify", "--json")
    assert told.exit_code == 1
    found = json.loads(told.stdout)
    assert (found["whole"], found["lines"], found["broken"][0]["line"]) == (False, 2, 2)
    assert (
        found["broken"][0]["date"] == house.now.astimezone().date().isoformat() or found["broken"][0]["date"]
    )
    assert "line 2" in run("ledger", "verify").stdout
    assert "tamper_found" in house.audit()


def test_a_receipts_code_holds_until_the_line_is_changed(house: House) -> None:
    payment = house.store.run_now(lambda tx: tx.conn.exec_driver_sql("SELECT id FROM payments").scalar_one())
    code = run("ledger", "code", payment).stdout.strip()
    assert code == house.store.run_now(lambda tx: receipts.code_of(tx, payment))
    told = run("ledger", "check", code, "--json")
    assert (told.exit_code, json.loads(told.stdout)["amount_fen"]) == (0, 5_000)
    spoil(house, amount_fen=4_999)
    loud = run("ledger", "check", code)
    assert (loud.exit_code, "TAMPERED" in loud.stdout) == (1, True)
    assert run("ledger", "check", "9-0000-0000").exit_code == 1


def test_the_book_is_written_out(house: House, tmp_path: Path) -> None:
    out = tmp_path / "book.journal"
    assert run("ledger", "export", "--format", "hledger", "--out", str(out)).exit_code == 0
    assert out.read_text().count("CNY 50.00") == 2
    assert run("ledger", "export", "--format", "csv").stdout.startswith("line,at,kind")
    assert json.loads(run("ledger", "balances", "--json").stdout) == {
        "biller:bj-electricity:payable": -5_000,
        "gateway:fake:receivable": 5_000,
        "payer:clearing": 0,
    }


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    with start_sandbox(tmp_path_factory.mktemp("town")) as handle:
        yield handle


def _set_town(town: SandboxHandle, late_on: date) -> None:
    """The town's clock shows the real time; the rail's file of that day does not come."""

    async def arrange() -> None:
        control = SandboxControl(town.control_url, town.control_token)
        await control.set_clock(SystemClock().now())
        await control.statement_fault("rail", late_on, "file_late")
        await control.aclose()

    asyncio.run(arrange())


def test_a_night_job_goes_by_the_exit_status(
    house: House, town: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This town knows nothing of the payment: both files lack it, and saying so twice opens nothing twice."""
    monkeypatch.setenv("BANGJIAO_GATEWAY_URL", town.url)
    monkeypatch.setenv("BANGJIAO_GATEWAY_SECRET", town.secret)
    day, today = str(yesterday(SystemClock().now())), yesterday(SystemClock().now() + timedelta(days=1))
    _set_town(town, late_on=today)
    first = run("reconcile", "--day", day, "--json")
    assert first.exit_code == 1
    assert [f["kind"] for f in json.loads(first.stdout)["opened"]] == ["not_there", "not_there"]
    again = run("reconcile", "--day", day, "--json")
    assert (again.exit_code, json.loads(again.stdout)["opened"]) == (1, [])
    for found in json.loads(run("ledger", "differences", "--json").stdout):
        assert run("ledger", "close", found["id"], "the rail sent a letter", "--by", "zhao").exit_code == 0
    assert run("ledger", "differences").exit_code == 0
    assert run("reconcile", "--day", day).exit_code == 0
    late = run("reconcile", "--day", str(today), "--json")
    assert (late.exit_code, json.loads(late.stdout)["complete"]) == (2, False)
    assert run("reconcile", "--day", "tenth of March").exit_code == 2
