"""The embedded engine: what numpy says is what scikit-learn said, and a model is found only for its own training files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nlu.classifier import Classifier, Embedded, NotTrained, load, model_dir
from nlu.engine import OUT_OF_SCOPE
from nlu.loader import Example, TrainingFileError, load_examples
from nlu.tools import evaluate, parse, value
from nlu.training import FALSE_REJECTS, fit, learn_threshold, teach, train
from tests.nlu.conftest import CACHE, ROOT, TRAINING

SMALL = """version: "3.1"
nlu:
- intent: pay_bill
  examples: |
    - 交[电费](utility)
    - 交[水费]{"entity": "utility"}
    - 帮我缴燃气费
    - 电费付掉
    - 充一百电费
    - 水费给我交了
- intent: greet
  examples: |
    - 你好
    - 您好啊
    - 早上好
    - 喂
    - 晚上好
    - 你好呀
- intent: out_of_scope
  examples: |
    - 今天天气怎么样
    - 讲个笑话
    - 唱首歌
    - 股票涨了吗
    - 晚上吃什么
    - 火车几点开
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "nlu.yml").write_text(SMALL, encoding="utf-8")
    return folder


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_numpy_and_scikit_learn_agree(locale: str) -> None:
    examples = load_examples(TRAINING / locale)[::7]
    unseen = [example.text for example in load_examples(TRAINING / locale)][1::5]
    texts = [*unseen, "", "？？？", "zzz qqq", "店费还有多少", "pay teh bill"]
    fitted, classifier = fit(examples, locale), teach(examples, locale)
    best, likeness = fitted.parts_of_score(texts)
    assert classifier.intents == tuple(fitted.regression.classes_)
    for at, (text, row) in enumerate(zip(texts, fitted.probabilities(texts), strict=True)):
        np.testing.assert_allclose(classifier.probabilities(text), row, atol=1e-9)
        assert classifier.likeness(text) == pytest.approx(likeness[at], abs=1e-9)
        expected = classifier.mix * best[at] + (1 - classifier.mix) * likeness[at]
        assert classifier.parse(text).score == pytest.approx(expected, abs=1e-9)


def test_numpy_and_scikit_learn_agree_on_two_intents() -> None:
    rows = [
        Example(f"{text}上有{text}", intent, Path("t"), 1)
        for text, intent in zip("天地人水火风雷山泽木金土", ["a", OUT_OF_SCOPE] * 6, strict=True)
    ]
    fitted, classifier = fit(rows, "zh"), teach(rows, "zh")
    np.testing.assert_allclose(classifier.probabilities("天水"), fitted.probabilities(["天水"])[0], atol=1e-9)


def test_the_threshold_turns_away_the_promised_share_of_unseen_sentences(small: Path) -> None:
    examples = load_examples(TRAINING / "zh")[::3]
    mix, threshold = learn_threshold(examples, "zh")
    assert 0 <= mix <= 1
    assert -1 < threshold < 1
    held, seen = examples[::5], [example for at, example in enumerate(examples) if at % 5]
    model = fit(seen, "zh")
    best, likeness = model.parts_of_score(
        [example.text for example in held if example.intent != OUT_OF_SCOPE]
    )
    rejected = float((mix * best + (1 - mix) * likeness < threshold).mean())
    assert rejected <= 3 * FALSE_REJECTS


def test_a_model_is_found_only_for_the_files_it_was_trained_on(small: Path, tmp_path: Path) -> None:
    with pytest.raises(NotTrained, match="bangjiao nlu train"):
        load(small, tmp_path, "zh")
    where = train(small, tmp_path, "zh")
    stamp = (where / "model.npz").stat().st_mtime_ns
    assert load(small, tmp_path, "zh").parse("交电费").best == "pay_bill"
    assert train(small, tmp_path, "zh") == where
    assert (where / "model.npz").stat().st_mtime_ns == stamp
    other = tmp_path / "other"
    other.mkdir()
    (other / "nlu.yml").write_text(SMALL.replace("喂", "喂喂"), encoding="utf-8")
    assert model_dir(other, tmp_path, "zh") != where
    with pytest.raises(NotTrained):
        load(other, tmp_path, "zh")


def test_the_running_program_needs_no_scikit_learn(engine: Embedded) -> None:
    code = (
        "import sys; from pathlib import Path; from nlu.classifier import Embedded; from nlu.understand import Understanding;"
        "from nlu.commands import Utterance, Expectation;"
        f"u = Understanding(Embedded.load(Path({str(TRAINING)!r}), Path({str(CACHE)!r})));"
        "print(u.understand(Utterance('你是谁呀会做点啥'), Expectation()));"
        "assert not {'sklearn', 'scipy', 'ruamel'} & set(sys.modules), sorted(sys.modules);"
        "held = [int(line.split()[1]) // 1024 for line in open('/proc/self/status') if line.startswith('VmHWM')];"
        "assert held[0] < 130, held"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "capabilities" in done.stdout


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("你都会做些什么呀", "capabilities"), ("帮我换个付款密码", "set_pin"), ("我家的户号是哪一个啊", "find_account"),
        ("帮窝妈交店费", "pay_bill"), ("以后字都给我弄大点", "change_preferences"), ("店费还有多少", "check_balance"),
        ("what are you able to do", "capabilities"), ("please reset the pin of my father", "set_pin"), ("which number is my account number", "find_account"),
    ],
)  # fmt: skip
def test_sentences_nobody_wrote_down(engine: Embedded, said: str, intent: str) -> None:
    opinion = engine.parse(said, "en" if said.isascii() else "zh")
    assert (opinion.best, opinion.in_scope) == (intent, True)


@pytest.mark.parametrize(
    "said",
    [
        "今天天气怎么样啊",
        "帮我还一下信用卡",
        "我想贷款五万",
        "what's the weather like today",
        "pay off my credit card",
    ],
)
def test_what_is_not_ours_is_turned_away(engine: Embedded, said: str) -> None:
    assert not engine.parse(said, "en" if said.isascii() else "zh").in_scope


def test_figures_of_an_evaluation(small: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.jsonl"
    rows = [("交电费吧", "pay_bill"), ("你好啊", "greet"), ("今天天气好吗", "oos"), ("缴水费", "pay_bill")]
    test.write_text(
        "\n".join(json.dumps({"text": text, "intent": intent}) for text, intent in rows), encoding="utf-8"
    )
    figures = evaluate(small, test, "zh")
    assert figures["rows"] == 4
    assert figures["accuracy"] == 1.0
    assert figures["macro_f1"] == 1.0
    assert list(figures) == [
        "engine",
        "rows",
        "accuracy",
        "macro_f1",
        "oos_recall",
        "oos_recall_at_5",
        "false_reject",
        "p50_ms",
        "p99_ms",
        "memory_mb",
        "train_seconds",
    ]
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert 20 < figures["memory_mb"] < 400


def test_an_evaluation_of_an_unknown_engine_names_those_there_are(small: Path) -> None:
    with pytest.raises(ValueError, match="default, rasa, rasa-diet, llm"):
        evaluate(small, small, "zh", "oracle")


def test_the_command_line_shows_opinions_and_values(engine: Embedded) -> None:
    from datetime import date

    assert parse("交电费", TRAINING, CACHE)["ranking"][0]["intent"] == "pay_bill"
    assert value("充一百二", "money") == {"value": 12000}
    assert value("一百来块", "money") == {"ask": "approximate"}
    assert value("不是二十,是三十", "money") == {"value": 3000, "corrected": True}
    assert value("零三十", "digits") == {
        "value": "03?",
        "doubtful": [{"position": 2, "candidates": ("4", "10")}],
    }
    assert value("last month", "month", day=date(2026, 3, 10)) == {"value": "2026-02"}
    assert value("低于五十就充两百", "rule") == {
        "value": {"below": 5000, "amount": 20000, "monthly_cap": None}
    }
    with pytest.raises(ValueError, match="money"):
        value("三", "colour")


def test_entity_marks_are_read_as_their_words(small: Path) -> None:
    assert [example.text for example in load_examples(small)][:2] == ["交电费", "交水费"]


@pytest.mark.parametrize(
    ("written", "line", "message"),
    [
        ("nlu: []", 1, "version"),
        ('version: "2.0"\nnlu: []', 1, "3.1"),
        ('version: "3.1"\nnlu:\n- intent: a\n  exampels: |\n    - x\n', 3, "examples"),
        ('version: "3.1"\nnlu:\n- intent: a\n  examples: |\n    - x\n    y\n', 6, "dash"),
        ('version: "3.1"\nnlu:\n- intent: a\n  examples: |\n    - [x(y)\n', 5, "mark"),
        ('version: "3.1"\nnlu:\n- intent: a\n  intent: b\n', 4, "duplicate"),
        ('version: "3.1"\nnlu:\n- just words\n', 3, "mapping"),
        ("version: [", 1, "expected"),
    ],
)
def test_a_mistake_in_a_training_file_names_its_line(
    tmp_path: Path, written: str, line: int, message: str
) -> None:
    file = tmp_path / "bad.yml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(TrainingFileError, match=message) as caught:
        load_examples(file)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"bad.yml:{line}: ")


def test_a_bad_line_of_json_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"text": "a", "intent": "b"}\n{"text": "a"}\n', encoding="utf-8")
    with pytest.raises(TrainingFileError, match=r"bad\.jsonl:2"):
        load_examples(file)


def test_a_folder_without_training_files_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(TrainingFileError, match="no training file"):
        load_examples(tmp_path)


def test_a_language_without_a_model_is_nothing_of_ours(engine: Embedded) -> None:
    assert not engine.parse("bonjour", "fr").in_scope


def test_the_model_keeps_its_learnt_threshold(engine: Embedded) -> None:
    classifier = load(TRAINING / "zh", CACHE, "zh")
    assert isinstance(classifier, Classifier)
    assert -0.5 < classifier.threshold < 0.6
