"""What `make rasa` does before and after Rasa's own work: the list it installs, what is held back, the threshold, what to type."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from nlu.engines import rasa_building as building
from nlu.engines.rasa_building import FALSE_REJECTS, NoRasa, how_to_serve, split, threshold_of
from nlu.loader import Example, load_examples
from tests.guards.test_no_addresses import pinned
from tests.guards.tree import ROOT


def test_everything_that_is_installed_is_pinned_by_hash() -> None:
    pins = pinned((ROOT / "requirements-rasa.lock").read_text())
    assert {"rasa==3.6.21", "jieba==0.42.1"} <= {pin.split(" ")[0] for pin in pins}
    assert all(pins.values())


def test_rasa_is_no_part_of_the_program() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert not re.search(r"^(?:rasa|tensorflow)\b", (ROOT / lock).read_text(), re.MULTILINE)


@pytest.mark.parametrize("locale", building.LOCALES)
@pytest.mark.parametrize("pipeline", building.PIPELINES)
def test_a_pipeline_has_one_threshold_to_be_learnt(pipeline: str, locale: str) -> None:
    written = (ROOT / "data" / "rasa" / f"{pipeline}-{locale}.yml").read_text(encoding="utf-8")
    config = yaml.safe_load(written)
    assert config["language"] == locale
    assert config["policies"] is None, "or training would ask for a domain"
    (fallback,) = [part for part in config["pipeline"] if part["name"] == "FallbackClassifier"]
    assert fallback == {"name": "FallbackClassifier", "threshold": 0.0, "ambiguity_threshold": 0.0}
    assert len(re.findall(r"\n  threshold: 0\.0", written)) == 1


def test_held_back_are_sentences_of_every_intent_and_always_the_same() -> None:
    examples = load_examples(ROOT / "data" / "nlu" / "en")
    kept, held = split(examples, 10)
    assert split(examples, 10) == (kept, held)
    assert sorted(map(_key, kept + held)) == sorted(map(_key, examples))
    assert 0.05 < len(held) / len(examples) <= 0.1
    assert {e.intent for e in kept} == {e.intent for e in examples}


def _key(example: Example) -> tuple[str, int]:
    return example.path.name, example.line


def test_the_threshold_turns_away_the_promised_share() -> None:
    answers = [
        {
            "intent_ranking": [
                {"name": "out_of_scope", "confidence": 0.9},
                {"name": "pay_bill", "confidence": at / 100},
            ]
        }
        for at in range(100)
    ]
    threshold = threshold_of(answers)
    assert sum(a["intent_ranking"][1]["confidence"] < threshold for a in answers) == FALSE_REJECTS * 100
    assert threshold_of([]) == 0.0


def test_where_rasa_is_missing_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoRasa, match="make rasa"):
        building.python(tmp_path)


def test_what_is_to_be_typed_names_both_servers_and_both_settings(tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").touch()
    told = how_to_serve([Path("light-zh.tar.gz"), Path("light-en.tar.gz")], tmp_path)
    assert "-p 5005 -m light-zh.tar.gz" in told
    assert "-p 5006 -m light-en.tar.gz" in told
    assert "BANGJIAO_RASA_URL=http://127.0.0.1:5005 BANGJIAO_RASA_URL_EN=http://127.0.0.1:5006" in told


def test_a_python_too_new_for_rasa_is_not_taken(tmp_path: Path) -> None:
    """With nothing else to be found it is said which Python is wanted, before anything is downloaded."""
    shown = subprocess.run(
        ["make", "-n", "-B", "rasa"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    script = shown[shown.index("for candidate in") : shown.index("exit 1; fi;") + len("exit 1; fi;")]
    joined = script.replace("\\\n", "")
    found = subprocess.run(
        ["/bin/sh", "-c", joined],
        env={"HOME": str(tmp_path), "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 1
    assert "make rasa PYTHON_RASA=" in found.stdout
