"""`bangjiao notices`: whom we could not tell something, by masked name and without a word of what it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from data.clock import SystemClock, VirtualClock
from data.store import letters
from data.store.engine import Sealer, Store, Tx
from payments.not_told import lost
from tests.payments.household import LIMIN, House

SECRET = "only for this test, never for people"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_what_did_not_arrive_is_listed_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/house.db"
    monkeypatch.setenv("BANGJIAO_SECRET", SECRET)
    monkeypatch.setenv("BANGJIAO_DATABASE_URL", url)
    house = House.over(Store.open(url, Sealer.from_secret(SECRET)), VirtualClock(SystemClock().now()))
    house.store.migrate()
    house.enrol()
    assert run("notices").exit_code == 0

    def refused(tx: Tx) -> None:
        at = house.now
        letters.put_news(tx, id="auto_failed:x", person=LIMIN, kind="auto_failed", body={}, at=at)
        letters.put_letter(
            tx, person=LIMIN, channel="telegram", body="李敏的电费没有充成", cause="news:auto_failed:x", at=at
        )
        [letter] = letters.lease_letters(tx, channel=None, person=None, at=at, lease=SystemClock().now() - at)
        letters.end(tx, letter, "failed", at)
        assert lost(tx, letter, {"telegram"}, at) is None

    house.store.run_now(refused)
    house.store.close()
    told = run("notices", "--person", "limin", "--json")
    assert told.exit_code == 1
    [row] = json.loads(told.stdout)
    assert (row["name"], row["about"], row["channel"], row["state"]) == (
        "李*",
        "auto_failed",
        "telegram",
        "failed",
    )
    said = run("notices").stdout
    assert "1 did not arrive, 0 wait." in said
    assert "李敏" not in said + told.stdout
    assert run("notices", "--person", "lijg").stdout == "Nothing waits, nothing was lost.\n"
