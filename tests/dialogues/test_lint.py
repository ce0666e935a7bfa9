"""Each rule of the lint finds the fault it is there for, and the sound files have none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dialogues import loader
from dialogues.lint import lint
from dialogues.lint_responses import asserts_money
from dialogues.loader import FlowErrors
from tests.dialogues.talking import ACTIONS, FIXTURES


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


F, ZH, EN = "flows.yml", "responses/zh.yml", "responses/en.yml"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
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
    ],
)  # fmt: skip
def test_each_fault_is_found(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    found = findings(tmp_path, file, old, new)
    assert any(message in line for line in found), found
    assert all(str(tmp_path) in line for line in found)


def test_two_choices_on_one_key_are_found(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        F,
        'water: {zh: [水费], en: [water], key: "2"}',
        'water: {zh: [水费], en: [water], key: "1"}',
    )
    assert [line for line in found if "one key to two choices" in line]


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
