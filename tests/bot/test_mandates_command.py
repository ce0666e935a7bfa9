"""`bangjiao restore` and `bangjiao mandates`: what rests after a backup was put back, and who lets it go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from data.clock import SystemClock, VirtualClock
from data.store.backup import back_up
from data.store.engine import Sealer, Store
from payments.terms import MandateState
from tests.payments.automatic import agreed, allow, at
from tests.payments.household import House

SECRET = "only for this test, never for people"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def opened(url: str) -> House:
    return House.over(Store.open(url, Sealer.from_secret(SECRET)), VirtualClock(SystemClock().now()))


def test_a_restored_mandate_rests_until_an_operator_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = f"sqlite:///{tmp_path}/old.db", f"sqlite:///{tmp_path}/new.db"
    monkeypatch.setenv("BANGJIAO_SECRET", SECRET)
    house = opened(old)
    house.store.migrate()
    house.enrol()
    allow(house)
    held = agreed(house)
    back_up(house.store, tmp_path / "house.db")
    house.store.close()

    told = run("restore", str(tmp_path / "house.db"), "--into", new)
    assert told.exit_code == 0
    assert "1 automatic payments rest" in told.stdout
    assert "3 purses" in told.stdout
    monkeypatch.setenv("BANGJIAO_DATABASE_URL", new)
    assert [row["id"] for row in json.loads(run("mandates", "resting", "--json").stdout)] == [held.id]
    assert run("mandates", "go-on", held.id, "--reason", " ").exit_code == 1
    assert run("mandates", "go-on", "--all", "--reason", "called her").exit_code == 0
    assert run("mandates", "go-on", held.id, "--reason", "called her").exit_code == 1
    again = opened(new)
    found = at(again)
    assert found is not None
    assert found.state is MandateState.ACTIVE
    again.store.close()
