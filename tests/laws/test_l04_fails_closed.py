"""L4: a mistake in the files stops the program before it starts; one while it runs goes to a person, never to the next step."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app import FLOWS
from data.store.payments import acts
from dialogues import engine, loader, predicate
from dialogues.actions import ACTIONS, SPECS
from dialogues.actions.ports import Result
from dialogues.lint import lint
from dialogues.problems import FlowErrors
from tests.safety.real_town import RealTown

# --- before the start ---------------------------------------------------------------------------------------------

MISTAKES = {
    "an action nobody wrote": ("flows/bills.yml", "action: action_check_amount", "action: action_chek_amount"),
    "a sentence nobody wrote": ("flows/bills.yml", "action: utter_more_than_due", "action: utter_more_then_due"),
    "a slot nobody declared": ("flows/bills.yml", "collect: amount", "collect: ammount"),
    "a step that is not there": ("flows/bills.yml", "then: commit", "then: comit"),
    "a flow that is not there": ("flows/bills.yml", "link: pay_bill", "link: pay_bil"),
    "a condition about nothing": ("flows/bills.yml", "if: slots.pay_now is true", "if: slots.pay_no is true"),
    "a number compared with a word": ("flows/bills.yml", "if: slots.pay_now is true", "if: slots.pay_now > 3"),
    "a condition that is none": ("flows/bills.yml", "if: slots.pay_now is true", "if: slots.pay_now is is"),
    "an outcome nobody promised": ("flows/bills.yml", 'context.outcome is "fits"', 'context.outcome is "fit"'),
    "a key nobody knows": ("flows/bills.yml", "ask_before_filling: true", "ask_before_fillin: true"),
    "a commit that reads nothing back": (
        "flows/bills.yml", "reads_back: [account_id, quote, holder, amount, method]", "reads_back: []",
    ),
    "a placeholder nobody fills": ("responses/zh.yml", "一共只要{due}", "一共只要{dew}"),
    "a sentence in one language only": ("responses/en.yml", "  utter_more_than_due:", "  utter_more_than_du:"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_files_stops_the_start(tmp_path: Path, mistake: str) -> None:
    file, right, wrong = MISTAKES[mistake]
    folder = _copy(tmp_path)
    text = (folder / file).read_text("utf-8")
    assert right in text
    (folder / file).write_text(text.replace(right, wrong, 1), "utf-8")
    errors = _errors(folder)
    assert any(Path(e.where.file).name == Path(file).name and e.where.line > 0 for e in errors), errors


def test_the_files_as_they_are_have_none(tmp_path: Path) -> None:
    assert _errors(_copy(tmp_path)) == []


def _copy(where: Path) -> Path:
    for part in ("domain", "flows", "responses"):
        shutil.copytree(FLOWS / part, where / part)
    return where


def _errors(folder: Path) -> list[Any]:
    try:
        return lint(loader.load_folder(folder, SPECS))
    except FlowErrors as problem:
        return list(problem.errors)


# --- while it runs ------------------------------------------------------------------------------------------------


async def breaches(town: RealTown, spoil: Callable[[pytest.MonkeyPatch], None]) -> list[str]:
    """A payment on whose way something of ours is spoilt: what went on although it should not have."""
    await town.open("limin")
    with pytest.MonkeyPatch.context() as patch:
        spoil(patch)
        heard = await town.says("limin", "给我爸妈家电费充一百")
    facts = await town.facts()
    proposals = await town.app.store.run(
        lambda tx: tx.conn.scalar(sa.select(sa.func.count()).select_from(acts))
    )
    responses = [s.response for s in await town.heard_by("limin")]
    wrong = {
        "silence": not heard,
        "went on to the read-back": "utter_confirm_pay" in responses or bool(proposals),
        "nobody was told of the trouble": "utter_trouble" not in responses,
        "told of the trouble twice": responses.count("utter_trouble") > 1,
        "nobody looks": not any(t["person"] == "limin" for t in facts.tickets or ()),
        "collected": bool(facts.captures),
    }
    found = [what for what, is_so in wrong.items() if is_so]
    # And the talk is not stuck: the next wish is served.
    after = await town.says("limin", "停", "查燃气费")
    return found + ([] if any("88元" in text for text in after) else [f"the next wish was answered {after}"])


def _undeclared_outcome(patch: pytest.MonkeyPatch) -> None:
    _spoil(patch, "action_check_amount", lambda *_: Result("perhaps"))


def _undeclared_slot(patch: pytest.MonkeyPatch) -> None:
    _spoil(patch, "action_check_amount", lambda *_: Result("fits", {"holder": "somebody else"}))


def _broken_inside(patch: pytest.MonkeyPatch) -> None:
    _spoil(patch, "action_check_amount", _raise)


def _undeclared_outside(patch: pytest.MonkeyPatch) -> None:
    async def answered(*_: Any) -> Result:
        return Result("perhaps")

    _spoil(patch, "action_quote_bill", answered)


def _undecidable(patch: pytest.MonkeyPatch) -> None:
    right = predicate.holds

    def cannot(condition: Any, scope: Any) -> bool:
        if scope.context.get("outcome") == "fits":
            raise predicate.PredicateError("a text is no number")
        return right(condition, scope)

    patch.setattr(predicate, "holds", cannot)


def _raise(*_: Any, **__: Any) -> Any:
    raise ValueError("of ours")


def _spoil(patch: pytest.MonkeyPatch, name: str, run: Any) -> None:
    patch.setitem(ACTIONS, name, replace(ACTIONS[name], run=run))


SPOILT = [_undeclared_outcome, _undeclared_slot, _broken_inside, _undeclared_outside, _undecidable]


@pytest.mark.parametrize("spoil", SPOILT)
async def test_a_mistake_while_it_runs_goes_to_a_person(
    town: RealTown, spoil: Callable[[pytest.MonkeyPatch], None]
) -> None:
    assert await breaches(town, spoil) == []


async def test_going_on_in_spite_of_a_mistake_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that takes an unknown outcome for the next best one."""
    right = engine._acted

    def wrong(m: Any, outcome: str, answer: dict[str, Any]) -> Any:
        return right(m, "fits" if outcome == "perhaps" else outcome, answer)

    monkeypatch.setattr(engine, "_acted", wrong)
    assert "went on to the read-back" in await breaches(town, _undeclared_outcome)


async def test_a_turn_that_breaks_writes_nothing_of_itself(
    town: RealTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The yes whose turn broke is no yes: no payment row, and the question can be answered again."""
    await town.open("limin")
    await town.says("limin", "交水费", "确认")
    with monkeypatch.context() as patch:
        patch.setattr("payments.confirming._note_confirmed", _raise)
        await town.says("limin", town.pin("limin"))
    assert await town.captures() == []
    assert (await town.facts()).confirmations == []
    await town.says("limin", "停", "交水费", "确认", town.pin("limin"))
    assert await town.captures() == [("W-LI", 4_650)]
