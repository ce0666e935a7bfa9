"""Every state of the house's own talks keeps every promise; and the command tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.app import FLOWS
from bot.cli import app
from dialogues import loader
from dialogues.actions import SPECS
from dialogues.explore import explore
from dialogues.model import Release
from tests.explore.faulty import Shop


@pytest.fixture(scope="module")
def house() -> Release:
    return loader.load_folder(FLOWS, SPECS)


def test_no_talk_of_the_house_is_a_dead_end(house: Release) -> None:
    report = explore(house, depth=1)
    assert not report.violations, "\n\n".join(map(str, report.violations))
    assert (report.max_turns_to_human, report.max_turns_to_exit) == (1, 1)
    assert report.states > 1000


@pytest.mark.prove
def test_nor_is_one_talk_on_top_of_another(house: Release) -> None:
    report = explore(house, depth=2)
    assert not report.violations, "\n\n".join(map(str, report.violations))
    assert (report.max_turns_to_human, report.max_turns_to_exit) == (1, 1)


def test_every_flow_on_top_of_every_other_one(tmp_path: Path) -> None:
    release = Shop.copied(tmp_path).release()
    few, all_of_them = explore(release), explore(release, every=True)
    assert not all_of_them.violations, "\n\n".join(map(str, all_of_them.violations))
    assert all_of_them.states > few.states


def test_the_same_flows_give_the_same_walk(tmp_path: Path) -> None:
    release = Shop.copied(tmp_path).release()
    assert explore(release, ["look"]) == explore(release, ["look"])


def test_the_command_tells_what_it_found_and_ends_accordingly(tmp_path: Path) -> None:
    well = CliRunner().invoke(app, ["explore", "--flow", "capabilities", "--depth", "1", "--json"])
    assert well.exit_code == 0
    told = json.loads(well.stdout)
    assert told["violations"] == []
    assert told.keys() == {"states", "events", "max_turns_to_human", "max_turns_to_exit", "violations"}
    shop = Shop.copied(tmp_path)
    shop.change("flows.yml", "if: slots.amount > slots.due", "if: slots.amount >= 0")
    ill = CliRunner().invoke(app, ["explore", str(shop.folder), "--flow", "pay", "--depth", "1"])
    assert ill.exit_code == 1
    assert "answered by keys: no key leads on" in ill.stdout
    assert "flows.yml:" in ill.stdout


def test_an_unknown_flow_is_named() -> None:
    result = CliRunner().invoke(app, ["explore", "--flow", "no_such_flow"])
    assert result.exit_code == 1
    assert "there is no flow no_such_flow" in str(result.exception)
