"""The check of the training sentences: it says nothing of ours, and finds each kind of mistake where it was made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from nlu.checking import Finding, check, is_plain, likeness
from tests.nlu.conftest import MEASURED, TRAINING


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Our own English sentences and splits, to be spoilt."""
    for source in (TRAINING, MEASURED):
        shutil.copytree(source, tmp_path / source.name)
    return tmp_path


def spoil(file: Path, sentence: str, after: str) -> int:
    """Adds a sentence to an intent; the line it stands on."""
    lines = file.read_text(encoding="utf-8").split("\n")
    at = lines.index(f"- intent: {after}") + 2
    lines.insert(at, f"    - {sentence}")
    file.write_text("\n".join(lines), encoding="utf-8")
    return at + 1


def found(folder: Path) -> list[Finding]:
    return check(folder / TRAINING.name, folder / MEASURED.name, "en")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_our_own_sentences_are_in_order(locale: str) -> None:
    assert [str(finding) for finding in check(TRAINING, MEASURED, locale)] == []


def test_each_mistake_is_found_where_it_stands(copy: Path) -> None:
    trained, measured = copy / TRAINING.name / "en", copy / MEASURED.name / "en"
    spoil(trained / "pay_bill.yml", "settle my granddad's telephone, please", "pay_bill")
    again = spoil(trained / "pay_bill.yml", "Settle my granddad's telephone please!", "pay_bill") + 1
    other = spoil(trained / "who_sees.yml", "please reset the pin for my old father", "who_sees")
    spoil(trained / "set_pin.yml", "please reset the pin for my old father now", "set_pin")
    learnt = spoil(measured / "test" / "wishes.yml", "I lost the bill and have got no number", "find_account")
    tale = spoil(measured / "swindles" / "test.yml", "he asks me what my payment password is", "scam")
    problems = {(finding.path.name, finding.line): finding.problem for finding in found(copy)}
    assert "stands twice" in problems.pop(("pay_bill.yml", again))
    assert "nearly the same under set_pin" in problems.pop(("who_sees.yml", other))
    assert "was learnt already: find_account.yml" in problems.pop(("wishes.yml", learnt))
    assert "was learnt already: en.yml" in problems.pop(("test.yml", tale))


def test_too_few_and_unknown_intents_are_told(copy: Path) -> None:
    trained, measured = copy / TRAINING.name / "en", copy / MEASURED.name / "en"
    lines = (trained / "invite.yml").read_text(encoding="utf-8").split("\n")
    (trained / "invite.yml").write_text("\n".join(lines[:60]), encoding="utf-8")
    (trained / "look_back.yml").unlink()
    wishes = measured / "validation" / "wishes.yml"
    wishes.write_text(
        wishes.read_text(encoding="utf-8").replace("- intent: set_pin", "- intent: who_sees"),
        encoding="utf-8",
    )
    told = "\n".join(map(str, found(copy)))
    assert "invite has 55 examples, 80 are wanted" in told
    assert "look_back is no intent of the training" in told
    assert "set_pin has no sentences in the validation split" in told


@pytest.mark.parametrize(
    ("one", "other", "locale", "alike"),
    [
        ("交一下电费", "交一下店费", "zh", 1.0),
        ("把自动的停了", "把自动的停了吧", "zh", 0.8),
        ("pay the water bill by itself from now on", "from now on pay the water bill by itself", "en", 0.8),
    ],
)
def test_what_sounds_alike_is_alike(one: str, other: str, locale: str, alike: float) -> None:
    assert likeness(one, other, locale) >= alike
    assert likeness(one, other, locale) == likeness(other, one, locale)


def test_what_is_meant_otherwise_is_not_alike() -> None:
    assert likeness("自动充值打开", "自动充值关掉", "zh") < 0.8
    assert likeness("who looked at my bills", "who topped up my meter", "en") < 0.8


def test_short_words_may_stand_on_both_sides() -> None:
    assert is_plain("谢谢你啊", "zh")
    assert is_plain("thank you", "en")
    assert not is_plain("帮我交电费", "zh")


def test_the_command_names_file_and_line_and_fails(copy: Path) -> None:
    spoil(copy / TRAINING.name / "en" / "set_pin.yml", "I want to change my pin", "set_pin")
    lines = (copy / TRAINING.name / "en" / "set_pin.yml").read_text(encoding="utf-8").split("\n")
    again = len(lines) - lines[::-1].index("    - I want to change my pin")
    told = CliRunner().invoke(app, ["nlu", "check", "--trained", str(copy / TRAINING.name)])
    assert told.exit_code == 1
    assert f"set_pin.yml:{again}: " in told.output
    assert "stands twice" in told.output
    assert told.output.endswith("1 to put right\n")
