"""Each rule of the lint finds the fault it is there for, and the sound files have none."""

from __future__ import annotations

import ast
import inspect
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialogues import lint as rules
from dialogues import lint_domain, lint_responses, loader
from dialogues.lint import lint
from dialogues.lint_responses import asserts_money
from dialogues.loader import FlowErrors
from dialogues.model import ActionSpec
from dialogues.problems import FlowError
from tests.dialogues.talking import ACTIONS, FIXTURES, shop

RULE_FILES = (rules, lint_domain, lint_responses)


def findings(tmp_path: Path, file: str, old: str, new: str) -> list[str]:
    """What lint says of the shop after one change."""
    shutil.copytree(FIXTURES, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / file).read_text("utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), "utf-8")
    paths = [tmp_path / "domain.yml", tmp_path / "flows.yml", *sorted((tmp_path / "responses").glob("*.yml"))]
    return [str(error) for error in lint(loader.load(paths, ACTIONS))]


def test_the_sound_shop_has_no_faults(tmp_path: Path) -> None:
    assert findings(tmp_path, "flows.yml", "flows:", "flows:") == []


D, F, ZH, EN = "domain.yml", "flows.yml", "responses/zh.yml", "responses/en.yml"


RULES = [
        (F, "action: action_places", "action: action_place", "no action action_place (did you mean 'action_places'?)"),
        (F, "action: utter_renamed", "action: utter_renamd", "utter_renamd, and nobody wrote it (did you mean 'utter_renamed'?)"),
        (F, 'context.outcome is "trouble"', 'context.outcome is "truble"', "never comes out as 'truble' (did you mean 'trouble'?)"),
        (F, 'context.outcome is "checking"', 'context.outcome is "chcking"', "never comes out as 'chcking'"),
        (F, "reads_back: [holder, amount, method], ", "", "reads nothing back"),
        (F, "reads_back: [holder, amount, method]", "reads_back: [holdr]", "reads back 'holdr', which is no slot"),
        (F, ", utter: utter_confirm_pay}", "}", "has no read-back"),
        (F, "{asks: name_check}", "{asks: nothing}", "does not say what it asks"),
        (F, "{asks: name_check}", "{asks: name_check, ask: x}", "metadata knows no 'ask'"),
        (F, "choices_from: places, ", "", "cannot be answered by keys"),
        (F, "choices_from: places", "choices_from: plases", "'plases', which is no slot"),
        (F, "dtmf: {min: 1, max: 4", "dtmf: {min: 5, max: 4", "do not fit each other"),
        (F, "en: [auntie], key", "fr: [tante], key", "choice 'auntie' has no words in en"),
        (F, "power: {zh: [电费], en: [power], key: \"1\"}", "pawer: {zh: [电费], en: [power], key: \"1\"}", "'pawer' cannot stand in slot kind"),
        (F, "why: utter_why_kind", "why: utter_why_kin", "utter_why_kin, and nobody wrote it"),
        (F, "how: {flow: tell_more}, why", "how: {flow: tell_mor}, why", "flow 'tell_mor', which does not exist"),
        (F, "explain: {why: utter_why_kind}", "explain: {where: utter_why_kind}", "explains 'where'"),
        (F, "translation: {en: {name: paying}}", "translation: {fr: {name: payer}}", "has no name in 'en'"),
        (F, "persisted_slots: [nickname]", "persisted_slots: [nicknam]", "keeps 'nicknam', which is no slot"),
        (F, "  human_help:\n", "  human_halp:\n", "no flow human_help"),
        (F, "        next: pay_after", "        next: END", "step pay_after of flow rename is never reached"),
        (F, "          - else: END\n\n  tell_result", "          - else: pay_after\n\n  tell_result", "leads back to itself"),
        (F, "      - id: places\n        action: action_places\n", "      - id: places\n        call: rename\n", "calls itself"),
        (F, "      - action: utter_renamed\n", "      - action: utter_paid\n", "claims something about money"),
        (F, "      - action: utter_renamed\n", "      - action: utter_due\n", "nothing before it fills {due}"),
        (ZH, "  utter_ask_amount_keys:\n    - text: \"按数字。\"\n", "", "no other way of asking: utter_ask_amount_keys"),
        (EN, "  utter_bigger:\n    - text: \"Larger now.\"\n", "", "utter_bigger is missing in 'en'"),
        (ZH, "  utter_stopped:\n    - text: \"都停了。\"\n", "", "the engine says utter_stopped"),
        (EN, "{amount} was charged.", "It was charged.", "does not tell amount"),
        (ZH, "      metadata: {claims: captured}\n", "", "money has moved and claims nothing"),
        (ZH, "{claims: captured}", "{claims: taken}", "claims 'taken'"),
        (ZH, "payload: /affirm", "payload: /afirm", "means nothing: /afirm"),
        (ZH, "payload: '/choose{\"look\"}'", "payload: '/choose{}'", "means nothing"),
        (ZH, "channel: voice", "channel: voise", "for channel 'voise'"),
        (ZH, "{slower_text: \"{due}。\"}", "{slower: \"{due}。\"}", "metadata knows no 'slower'"),
        (ZH, "{digits.groups},后面呢?", "{digits.group},后面呢?", "no such form"),
        (ZH, "查费按1,人工按0。", "查费按1,交费按2,改名按3,找号按4,人工按0。", "offers 4 keys"),
        (ZH, "不要卡号。", "不" * 41 + "。", "41 characters without a pause"),
        (ZH, "condition: facts.large is true", "condition: context.misses > 1", "depends on context"),
        (ZH, "    - text: \"{holder}要交{due}。\"\n      buttons", "    - channel: chat\n      text: \"{holder}要交{due}。\"\n      buttons", "no variation for everything else"),
        (F, "commit: {act: pay, reads_back: [holder, amount, method], utter: utter_confirm_pay}", "asks: confirm", "moves money without saying which"),
        (F, "commit: {act: pay, reads", "commit: {akt: pay, reads", "commit knows no 'akt' (did you mean 'act'?)"),
        (F, "commit: {act: pay, reads", "commit: {reads", "commit names no act"),
        (F, "dtmf: {min: 1, max: 4, finish: \"#\"}", "dtmf: {least: 1}", "dtmf is {min, max, finish, lengths}"),
        (F, "uncle: {zh: [伯伯], en: [uncle], key: \"2\"}}", "uncle: {zh: [伯伯], en: [uncle], key: \"2\"}, a: {zh: [甲], en: [a], key: \"3\"}, b: {zh: [乙], en: [b], key: \"4\"}}", "offers 4 keys"),
        (F, "water: {zh: [水费], en: [water], key: \"2\"}", "water: {zh: [水费], en: [water], key: \"1\"}", "one key to two choices"),
        (D, "places: {type: any, map", "plazes: {type: any, map", "action_places uses 'places', which is no slot"),
        (D, "nickname: {type: text, map", "nickname: {type: text, validation: {rejections: [{if: slots.nickname is 'x', utter: utter_not_so}]}, map", "validation of slot nickname says utter_not_so, and nobody wrote it"),
        (D, "nickname: {type: text, map", "nickname: {type: text, validation: {refill_utter: utter_renamd}, map", "says utter_renamd, and nobody wrote it (did you mean 'utter_renamed'?)"),
        (F, "  human_help:\n", "  pattern_completed: {description: d, steps: [{action: utter_renamed}]}\n  human_help:\n", "flow pattern_completed is never begun (repair is the engine's own)"),
    ]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "message"), RULES)
def test_each_fault_is_found(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    found = findings(tmp_path, file, old, new)
    assert any(message in line for line in found), found
    assert all(str(tmp_path) in line for line in found)


def test_actions_that_only_rasa_would_run_are_found() -> None:
    extra = {name: ActionSpec(name, ("done",)) for name in ("action_ask_nickname", "validate_nickname")}
    release = replace(shop(), actions={**ACTIONS, **extra})
    assert [error.message for error in lint(release)] == [
        f"action {name} never runs by itself" for name in extra
    ]


def test_digits_in_parts_need_somebody_who_notes_doubts() -> None:
    without = {name: spec for name, spec in ACTIONS.items() if name != "action_note_digit_doubt"}
    (error,) = lint(replace(shop(), actions=without))
    assert error.message == "digits come in parts, and there is no action action_note_digit_doubt"


def test_every_rule_has_its_flawed_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes at which lines of the rules a fault is told while the examples above are read; no line may be left over."""
    told: set[tuple[str, int]] = set()

    def noting(*parts: Any) -> FlowError:
        caller = sys._getframe(1)
        told.add((Path(caller.f_code.co_filename).name, caller.f_lineno))
        return FlowError(*parts)

    for module in RULE_FILES:
        monkeypatch.setattr(module, "FlowError", noting)
    for number, (file, old, new, _) in enumerate(RULES):
        findings(tmp_path / str(number), file, old, new)
    test_actions_that_only_rasa_would_run_are_found()
    test_digits_in_parts_need_somebody_who_notes_doubts()
    for module in RULE_FILES:
        name = Path(str(module.__file__)).name
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "FlowError":
                lines = {(name, line) for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
                assert lines & told, f"{name}:{node.lineno} has no flawed example"


@pytest.mark.parametrize(
    "text",
    [
        "已扣款46.50元",
        "您的电费已到账",
        "水费缴好了。",
        "已销账",
        "钱已经退了",
        "46.50 yuan was charged",
        "Your bill has been paid.",
        "the payment succeeded",
    ],
)
def test_words_that_assert_money_are_known(text: str) -> None:
    assert asserts_money(text)


@pytest.mark.parametrize(
    "text",
    [
        "没有扣款",
        "还没有到账",
        "付好了我告诉您",
        "交好了吗?",
        "一分钱没扣",
        "nothing was charged",
        "I will tell you when it has been paid",
        "This meter is paid before use",
        "要付46.50元吗?",
    ],
)
def test_words_that_promise_or_deny_assert_nothing(text: str) -> None:
    assert not asserts_money(text)


def test_an_unknown_slot_is_refused_before_lint(tmp_path: Path) -> None:
    with pytest.raises(FlowErrors, match="which is no slot"):
        findings(tmp_path, F, "collect: nickname", "collect: nicknam")
