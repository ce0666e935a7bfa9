"""Beginning outside the demo town: people are enrolled and linked by staff, and nobody's number or PIN shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import registry
from bot.registry import CannotEnrol
from bot.settings import Settings


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{tmp_path / 'house.db'}", secret=SecretStr("a secret of the test")
    )


def enrolled(house: Settings, name: str, phone: str) -> str:
    return registry.enrol(house, name, phone, "family", elder=False, smart=True, locale="zh")


def test_enrolled_linked_and_listed_without_names_and_numbers(house: Settings) -> None:
    mother, daughter = enrolled(house, "王建芳", "02155501234"), enrolled(house, "王小芳", "02155501235")
    registry.link(house, mother, daughter, "daughter", "pay")
    rows = {row["id"]: row for row in registry.everybody(house)}
    assert rows[mother]["name"] == "王*芳"
    assert set(rows[mother]["lets"]) == {daughter}
    assert "confirm_payment" not in rows[mother]["lets"][daughter]
    shown = "\n".join(map(registry.line, rows.values()))
    assert daughter in shown
    assert "0215550" not in shown
    assert "王建芳" not in shown


@pytest.mark.parametrize(("role", "phone"), [("king", "02155501234"), ("family", "12")])
def test_a_role_nobody_has_or_half_a_number_is_refused(house: Settings, role: str, phone: str) -> None:
    with pytest.raises(CannotEnrol):
        registry.enrol(house, "王建芳", phone, role, elder=False, smart=True, locale="zh")
    assert registry.everybody(house) == []


def test_a_purse_is_not_lent_from_the_command_line(house: Settings) -> None:
    one, two = enrolled(house, "王建芳", "02155501234"), enrolled(house, "王小芳", "02155501235")
    with pytest.raises(CannotEnrol):
        registry.link(house, one, two, "daughter", "spend")
    with pytest.raises(CannotEnrol):
        registry.link(house, one, one, "daughter", "see")


def test_without_the_servers_secret_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(CannotEnrol):
        registry.everybody(Settings(database_url=f"sqlite:///{tmp_path / 'house.db'}"))
