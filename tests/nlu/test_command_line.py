"""`bangjiao nlu`: the same figures and opinions for people and, with --json, for programs; a mistake in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.cli import app
from nlu.classifier import Embedded
from nlu.tools import LOCALES
from tests.nlu.conftest import CACHE
from tests.nlu.engines.fake_llm import always, naming
from tests.nlu.engines.served import served
from tests.nlu.test_training import SMALL

TESTED = [("交电费吧", "pay_bill"), ("你好啊", "greet"), ("今天天气好吗", "oos"), ("缴水费", "pay_bill")]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The options that name a small training file and a test of it."""
    learnt, asked = tmp_path / "learnt.yml", tmp_path / "asked.jsonl"
    learnt.write_text(SMALL, encoding="utf-8")
    lines = (json.dumps({"text": text, "intent": intent}, ensure_ascii=False) for text, intent in TESTED)
    asked.write_text("\n".join(lines), encoding="utf-8")
    return ["--train", str(learnt), "--test", str(asked)]


def nlu(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["nlu", *arguments], env={"BANGJIAO_CACHE_DIR": str(CACHE)} | environment)


def told(*arguments: str, **environment: str) -> Any:
    """What is told to a program, in one line."""
    result = nlu(*arguments, "--json", **environment)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_training_names_every_model(engine: Embedded) -> None:
    made = told("train")
    assert list(made) == [*LOCALES, *(f"{locale} swindles" for locale in LOCALES)]
    assert all((Path(where) / "model.npz").is_file() for where in made.values())


def test_an_evaluation_is_told_to_people_and_to_programs(files: list[str]) -> None:
    figures = told("eval", *files)
    assert (figures["engine"], figures["rows"], figures["accuracy"]) == ("default", 4, 1.0)
    assert "accuracy: 1.0\n" in nlu("eval", *files).stdout


def test_a_language_model_is_measured_beside_ours(files: list[str]) -> None:
    """It is asked about what ours makes nothing of, and what it may not name changes nothing."""
    with served(always(naming("check_balance"))) as server:
        figures = told("eval", *files, "--engine", "llm", BANGJIAO_LLM_URL=server.url, BANGJIAO_LLM_MODEL="m")
    assert (figures["engine"], figures["accuracy"]) == ("llm", 1.0)


@pytest.mark.parametrize(
    ("options", "problem"),
    [(["--engine", "llm"], "BANGJIAO_LLM_URL"), (["--engine", "oracle"], "default, rasa, rasa-diet, llm")],
)
def test_a_measurement_that_cannot_be_made_says_why(
    files: list[str], options: list[str], problem: str
) -> None:
    result = nlu("eval", *files, *options)
    assert result.exit_code == 1
    assert problem in result.output


def test_a_mistake_in_a_file_names_its_line(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "learnt.yml").write_text("nlu: []", encoding="utf-8")
    assert "learnt.yml:1" in nlu("eval", *files).output


def test_an_opinion_and_a_value(engine: Embedded) -> None:
    (command,) = told("parse", "帮我妈交水费")
    assert command == {"command": "StartFlow", "flow": "pay_bill", "slots": {"utility": "water", "relation": "mother"}}  # fmt: skip
    assert told("value", "一百二", "--type", "money") == {"value": 12000}
    assert told("value", "一百来块") == {"ask": "approximate"}
    assert nlu("value", "一百二").stdout == "value: 12000\n"
    assert told("value", "低于五十就充两百", "--type", "rule")["value"]["amount"] == 20000
    assert "money, digits, month, rule" in nlu("value", "三", "--type", "colour").output
