"""Test cases in Rasa's end-to-end format, with our own steps and assertions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from dialogues.testing.reading import read
from dialogues.testing.script import Check, Disturb, Human, Press, Script
from tests.testing.talks import played, written

HEAD = """
metadata:
  - mei: {persona: mei}
test_cases:
  - test_case: T1
    metadata: mei
    steps:
"""


def _case(steps: str) -> str:
    return HEAD.lstrip() + indent(steps.strip("\n"), "      ") + "\n"


def _one(folder: Path, text: str) -> Script:
    book = read(written(folder, text))
    assert not book.mistakes
    return book.scripts[0]


PAYING = """
- user: 交水费
  assertions:
    - flow_started: pay_bill
    - slot_was_set: [{name: utility, value: water}]
    - bot_uttered:
        utter_name: utter_confirm_pay
        text_matches: '46\\.50'
        buttons: [{title: 确认, payload: /affirm}]
    - bot_did_not_utter: {utter_name: utter_paid}
    - action_executed: action_quote
    - money_moved: "0"
- button: 确认
  assertions:
    - bot_uttered: {utter_name: utter_ask_code}
    - slot_was_not_set: [utility]
- dtmf: "{valid_code}"
  assertions:
    - flow_completed: {flow_id: pay_bill, flow_step_id: pay}
    - money_moved: "46.50"
    - gateway_calls: {action: pay, count: 1, idempotency_key_distinct: 1}
    - outbox: {bo: ['46\\.50']}
"""


def test_a_whole_payment_passes(tmp_path: Path) -> None:
    report = played(tmp_path, _case(PAYING), mutations=("redelivery", "double_tap", "restart"))
    assert report.passed == 4, [c.detail for c in report.cases]


@pytest.mark.parametrize(
    "assertion",
    [
        "flow_started: check_balance",
        "flow_started: {operator: all, flow_ids: [pay_bill, check_balance]}",
        "flow_completed: pay_bill",
        "flow_cancelled: pay_bill",
        "action_executed: action_pay",
        "slot_was_set: [{name: utility, value: gas}]",
        "slot_was_set: [amount]",
        "slot_was_not_set: [utility]",
        "slot_was_not_set: [{name: utility, value: water}]",
        "bot_uttered: {utter_name: utter_paid}",
        "bot_uttered: {text_matches: '燃气'}",
        "bot_uttered: {utter_name: utter_confirm_pay, text_matches: '燃气'}",
        "bot_uttered: {buttons: [{title: 也许}]}",
        "bot_did_not_utter: {text_matches: '水费'}",
        "pattern_clarification_contains: [pay_bill]",
        "money_moved: '46.50'",
        "gateway_calls: {count: 1}",
        "spoken_matches: '四十七元'",
        "outbox: {bo: '.'}",
    ],
)
def test_each_assertion_can_fail_and_names_its_place(tmp_path: Path, assertion: str) -> None:
    report = played(tmp_path, _case(f"- user: 交水费\n  assertions:\n    - {assertion}"))
    assert report.failed == 1
    assert "talks.yml:9" in report.cases[0].detail
    assert assertion.split(":")[0] in report.cases[0].detail


@pytest.mark.parametrize(
    "assertion",
    [
        "flow_started: {operator: any, flow_ids: [pay_bill, check_balance]}",
        "slot_was_set: [utility]",
        "slot_was_set: utility",
        "slot_was_not_set: [{name: utility, value: gas}]",
        "bot_uttered: {}",
        "spoken_matches: '四十六元五角'",
        "money_moved: 0",
    ],
)
def test_other_ways_of_writing_an_assertion(tmp_path: Path, assertion: str) -> None:
    report = played(tmp_path, _case(f"- user: 交水费\n  assertions:\n    - {assertion}"))
    assert report.passed == 1, report.cases


def test_order_counts_when_it_is_asked_for(tmp_path: Path) -> None:
    steps = """
- user: 交水费
  assertion_order_enabled: {ordered}
  assertions:
    - slot_was_set: [utility]
    - flow_started: pay_bill
    - bot_uttered: {{utter_name: utter_confirm_pay}}
"""
    assert played(tmp_path, _case(steps.format(ordered="false"))).passed == 1
    report = played(tmp_path, _case(steps.format(ordered="true")))
    assert "does not come in this order" in report.cases[0].detail


def test_steps_that_are_assertions_themselves(tmp_path: Path) -> None:
    good = "- user: 交水费\n- utter: utter_confirm_pay\n- bot: 水费，尾号6677，46.50元，交吗？\n- slot_was_set: [{utility: water}]\n"
    assert played(tmp_path, _case(good)).passed == 1
    for wrong in (
        "- utter: utter_paid",
        "- bot: 水费",
        "- slot_was_set: [{utility: gas}]",
        "- slot_was_not_set: [utility]",
    ):
        assert played(tmp_path, _case(f"- user: 交水费\n{wrong}")).failed == 1, wrong


def test_our_own_steps(tmp_path: Path) -> None:
    steps = """
- call_in: "010"
- voice: {nbest: [交水费, 叫水费], confidence: 0.8}
- silence: 10s
- button: {title: 不交, back: 0}
- advance: 26h
- redeliver: last
- double_tap: true
- restart_process: true
- event: {outbound_call: mei}
- hangup: true
"""
    one = _one(tmp_path, _case(steps))
    assert [s.kind for s in one.steps if isinstance(s, Disturb)] == ["redeliver", "double_tap", "restart"]
    assert [s.value for s in one.steps if isinstance(s, Human) and s.kind == "press"] == [Press("不交", 0)]
    assert one.unknown == ()


def test_disturbances_written_at_a_step(tmp_path: Path) -> None:
    one = _one(
        tmp_path, _case("- user: 好\n  metadata: {double_tap: true}\n  assertions: [{money_moved: '0'}]")
    )
    assert [type(s) for s in one.steps] == [Human, Disturb, Check]


def test_a_stale_button_is_the_one_of_an_older_message(tmp_path: Path) -> None:
    steps = """
- user: 交水费
- user: 交水费
- button: {title: 确认, back: 1}
  assertions: [{bot_uttered: {text_matches: 过时}}]
"""
    assert played(tmp_path, _case(steps)).passed == 1


def test_fixtures_metadata_stubs_and_clock_reach_the_world(tmp_path: Path) -> None:
    written(tmp_path, "fixtures:\n  - shared: [{city: 上海}]\n", "conftest.yml")
    text = """
    fixtures:
      - known: [{utility: water}, {account: W-MEI}]
      - clock: {mocked_datetime: "2026-03-11T08:00:00"}
    metadata:
      - mei: {persona: mei, channel: voice, locale: en, given: {gateway: down}}
    stub_custom_actions:
      action_quote: {outcome: due, events: [{event: slot, name: due, value: 4650}]}
      "T9::action_quote": {events: []}
    test_cases:
      - test_case: T1
        fixtures: [shared, known, clock]
        metadata: mei
        steps: [{user: hello}]
    """
    one = _one(tmp_path, text)
    assert (one.persona, one.channel, one.locale) == ("mei", "voice", "en")
    assert one.start is not None
    assert one.start.astimezone(UTC) == datetime(2026, 3, 11, 0, tzinfo=UTC)
    assert one.given == {
        "gateway": "down",
        "slots": {"city": "上海", "utility": "water", "account": "W-MEI"},
        "stub_custom_actions": {"action_quote": {"outcome": "due", "slots": {"due": 4650}}},
    }


@pytest.mark.parametrize(
    ("steps", "missing", "detail"),
    [
        ("- deploy: flows_v2", "deploy", "deploy"),
        (
            "- user: 交水费\n  assertions: [{spoken_matches: 元}]",
            "assertion.spoken_matches",
            "assertion.spoken_matches",
        ),
        (
            "- user: 交水费\n  assertions: [{generative_response_is_relevant: {}}]",
            "",
            "assertion.generative_response_is_relevant is refused: a language model would have to judge; "
            "assert text_matches or utter_name",
        ),
        ("- user: 交水费\n  metadata: vip", "", "step.metadata"),
        ("- dance: true", "", "step.dance"),
    ],
)
def test_what_the_world_cannot_is_unsupported_by_name(
    tmp_path: Path, steps: str, missing: str, detail: str
) -> None:
    report = played(tmp_path, _case(steps), missing=(missing,))
    assert (report.unsupported, report.cases[0].detail) == (["T1"], detail)


def test_stubs_a_world_cannot_place_are_unsupported_by_name(tmp_path: Path) -> None:
    text = _case("- user: 交水费") + "stub_custom_actions: {action_quote: {events: []}}\n"
    report = played(tmp_path, text, missing=("stub_custom_actions",))
    assert report.cases[0].detail == "stub_custom_actions"


def test_a_world_that_does_not_tell_what_happens_inside_makes_the_assertion_unsupported(
    tmp_path: Path,
) -> None:
    report = played(tmp_path, _case("- user: 交水费\n  by: bo\n  assertions: [{flow_started: pay_bill}]"))
    assert report.cases[0].detail == "assertion.events"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("test_cases:\n  - steps: []", 2, "a test case needs 'test_case'"),
        ("test_cases:\n  - test_case: A", 2, "a test case needs 'steps'"),
        ("test_cases:\n  - test_case: A\n    fixtures: [x]\n    steps: []", 3, "no fixture is called 'x'"),
        ("test_cases:\n  - test_case: A\n    metadata: x\n    steps: []", 3, "no metadata is called 'x'"),
        (_case("- user: a\n  assertions: [{a: 1, b: 2}]"), 8, "an assertion says exactly one thing"),
        (
            _case("- user: a\n  assertions:\n    - bot_uttered: {text: a}"),
            9,
            "bot_uttered: unknown key 'text'",
        ),
        (
            _case("- user: a\n  assertions:\n    - bot_uttered: {text_matches: '('}"),
            9,
            "not a regular expression",
        ),
        (_case("- button: {back: 1}"), 7, "button needs 'title'"),
        (_case("- button: {title: a, page: 1}"), 7, "button: unknown key 'page'"),
        (_case("- redeliver: twice"), 7, "redeliver must be true"),
        (_case("- user: a\n  dtmf: b"), 7, "a step does exactly one thing"),
        (_case("- assertions: []"), 7, "a step does exactly one thing, this one: nothing"),
    ],
)
def test_a_wrong_case_is_a_mistake_with_its_place(tmp_path: Path, text: str, line: int, message: str) -> None:
    book = read(written(tmp_path, text))
    assert [(m.where.line, message in m.message) for m in book.mistakes] == [(line, True)], book.mistakes


def test_a_wrong_case_leaves_the_others(tmp_path: Path) -> None:
    text = "test_cases:\n  - test_case: A\n  - test_case: B\n    steps: [{user: hello}]\n"
    book = read(written(tmp_path, text))
    assert [s.id for s in book.scripts] == ["B"]


def test_a_key_of_the_file_nobody_knows_makes_its_cases_unsupported(tmp_path: Path) -> None:
    report: Any = played(tmp_path, _case("- user: a") + "sequence: on\n")
    assert report.cases[0].detail == "file.sequence"
