"""What a process of the house is called when nobody gave it a name."""

from __future__ import annotations

import sys

import pytest
from pydantic import ValidationError

from bot import cli
from bot.settings import Settings
from data.store import presence
from tests.databases import Databases

SHARED = Settings(database_url="postgresql+psycopg://127.0.0.1/house")


def test_on_postgresql_every_start_has_a_name_of_its_own() -> None:
    names = {SHARED.named("worker").executor for _ in range(50)}
    assert len(names) == 50
    assert all(name.startswith("worker-") and len(name) <= 40 for name in names)


def test_on_sqlite_the_next_start_is_called_as_the_one_before_it() -> None:
    alone = Settings(database_url="sqlite:///house.db")
    assert alone.named("serve").executor == alone.named("serve").executor == "serve"


def test_a_given_name_stays() -> None:
    given = SHARED.model_copy(update={"executor": "beijing-1"})
    assert given.named("worker").executor == "beijing-1"


@pytest.mark.parametrize("name", ["two words", "a_very_long_name" * 3, "a/b"])
def test_a_name_must_be_short_and_plain(name: str) -> None:
    with pytest.raises(ValidationError):
        Settings(executor=name)


def test_a_second_live_worker_of_a_name_is_told_so_in_one_sentence(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with databases.store("postgresql") as store, store.engine.connect() as first:
        first.exec_driver_sql(presence._TAKE, ("beijing-1",))
        given = {
            "DATABASE_URL": store.engine.url.render_as_string(hide_password=False),
            "SECRET": "only for tests, never for people",
            "GATEWAY_URL": "http://127.0.0.1:9",
            "GATEWAY_SECRET": "whsec_" + "QUFB" * 10,
            "EXECUTOR": "beijing-1",
            "LOG_LEVEL": "ERROR",
        }
        for name, value in given.items():
            monkeypatch.setenv(f"BANGJIAO_{name}", value)
        monkeypatch.setattr(presence, "_ARRIVAL_SECONDS", 0.0)
        monkeypatch.setattr(sys, "argv", ["bangjiao", "worker"])
        with pytest.raises(SystemExit, match="at work under the name 'beijing-1'"):
            cli.main()
