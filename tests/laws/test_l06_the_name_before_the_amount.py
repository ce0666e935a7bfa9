"""L6: who typed a number sees the holder's masked name and confirms it before any amount; nobody sees another household."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import FLOWS
from data.ids import PersonId
from data.store import journal
from dialogues import loader
from dialogues.actions import SPECS
from payments.authority import access
from payments.authority.access import Allowed
from payments.quoting import Trouble
from tests.safety.real_town import RealTown

NEIGHBOUR, AMOUNT = "0319001200354678", "301.10"  # E-ZHENG: two digits swapped in the mother's number
MAY_SEE = {"limin": {"E-LI", "W-LI", "G-LI"}, "chenm": set(), "xiaozhou": {"E-CHENG", "W-CHENG", "G-CHENG"}}


async def breaches(town: RealTown) -> list[str]:
    """Somebody types a neighbour's number and never says that the name is right; then everybody asks for everything."""
    await town.open("chenm", *MAY_SEE)
    await town.says("chenm", "查电费", NEIGHBOUR, "多少钱", "再说一遍", "不是", "交电费", NEIGHBOUR, "不是")
    found = [f"told an amount: {s.text!r}" for s in await town.heard_by("chenm") if AMOUNT in s.text]
    audit = await town.app.store.run(journal.kinds)
    if "name_check_failed" not in audit:
        found.append("no name was checked")
    for person, seen in MAY_SEE.items():
        for account in town.world.accounts:
            answer = await town.app.desk.quoting.quote(PersonId(person), account)
            refused = isinstance(answer, Trouble) and answer.reason == "access_refused"
            if refused is (str(account) in seen):
                found.append(f"{person} {'may not see' if refused else 'sees'} {account}")
    return found


async def test_no_amount_before_the_name_and_nobody_elses_bill(town: RealTown) -> None:
    assert await breaches(town) == []


async def test_a_wrong_flow_file_is_seen(town: RealTown, tmp_path: Path) -> None:
    """A flow that goes from the holder straight to the bill, as a careless hand might write it."""
    for part in ("domain", "flows", "responses"):
        shutil.copytree(FLOWS / part, tmp_path / part)
    file = tmp_path / "flows" / "account.yml"
    right = '          - if: context.outcome is "found"\n            then: name\n'
    text = file.read_text("utf-8")
    assert right in text
    file.write_text(text.replace(right, right.replace("then: name", "then: known")), "utf-8")
    await town.open("chenm", *MAY_SEE)
    desk = town.app.desk
    desk.house = replace(desk.house, release=loader.load_folder(tmp_path, SPECS))
    await town.says("chenm", "查电费", NEIGHBOUR)
    assert any(AMOUNT in s.text for s in await town.heard_by("chenm"))


def _everybody_is_the_owner(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(access, "decide", lambda *_: Allowed("own"))


def _everything_counts_as_saved(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(access, "_saved", lambda standing, person, account, owner: True)


@pytest.mark.parametrize("mistake", [_everybody_is_the_owner, _everything_counts_as_saved])
async def test_an_open_gate_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert any("sees" in found for found in await breaches(town))


async def test_what_was_taken_back_is_closed_at_once(town: RealTown) -> None:
    """Her father takes his word back in the middle of her talk: the next question finds a closed door."""
    await town.open("limin")
    assert "46.50元" in "".join(await town.says("limin", "查水费"))
    at = town.clock.now()
    await town.app.store.run(lambda tx: access.revoke(tx, PersonId("lijg"), PersonId("limin"), at))
    heard = "".join(await town.says("limin", "停", "查水费"))
    assert "46.50" not in heard
    answer = await town.app.desk.quoting.quote(
        PersonId("limin"), next(a for a in town.world.accounts if a == "W-LI")
    )
    assert isinstance(answer, Trouble)
    assert answer.reason == "access_refused"
