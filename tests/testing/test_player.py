"""Whole talks against the toy: who acts, which code is sent when, what makes a case fail, and what makes it unsupported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialogues.testing.playing import play
from dialogues.testing.report import CaseResult
from dialogues.testing.world import Unsupported
from tests.testing.talks import PAYING, played, played_with, script, written
from tests.testing.toy import CODE, PIN, ToyWorld


def test_a_whole_payment_passes(tmp_path: Path) -> None:
    tail = """
        then:
          captures: [{account: W-MEI, fen: 4650, payer: mei}]
          outbox: {bo: ['46\\.50']}
          audit: [confirmed, captured]
          state: paid
    """
    report = played(tmp_path, script(PAYING, tail=tail))
    assert [(c.id, c.status, c.detail) for c in report.cases] == [("T1", "passed", "")]


def test_a_wrong_promise_at_the_end_fails(tmp_path: Path) -> None:
    report = played(tmp_path, script(PAYING, tail="then: {captures: []}"))
    assert report.failed == 1
    assert "captures are" in report.cases[0].detail


def _heard(tmp_path: Path, steps: str) -> list[str]:
    """Everything the desk heard in such a talk."""
    heard: list[str] = []

    class Listening(ToyWorld):
        async def say(self, person: str, text: str) -> None:
            heard.append(text)
            await super().say(person, text)

        async def key(self, person: str, keys: str) -> None:
            heard.append(keys)
            await super().key(person, keys)

    played_with([written(tmp_path, script(steps))], Listening)
    return heard


def test_a_yes_with_a_code_is_two_messages_the_code_only_when_asked(tmp_path: Path) -> None:
    assert _heard(tmp_path, "- say: 交水费\n- say: 确认 {valid_code}") == ["交水费", "确认", CODE]
    assert _heard(tmp_path, "- say: 确认 {valid_code}") == ["确认"]


def test_a_pin_stands_in_the_same_message_and_keys_are_filled_too(tmp_path: Path) -> None:
    assert _heard(tmp_path, "- say: 交水费\n- say: 确认 {valid_pin}") == ["交水费", f"确认 {PIN}"]
    assert _heard(tmp_path, "- key: '{valid_pin}'") == [PIN]


def test_wrong_digits_are_wrong_and_of_the_same_length(tmp_path: Path) -> None:
    code, pin = _heard(tmp_path, "- say: '{wrong_code}'\n- key: '{wrong_pin}'")
    assert code != CODE
    assert pin != PIN
    assert (len(code), len(pin)) == (len(CODE), len(PIN))


def test_a_placeholder_the_world_cannot_fill_is_unsupported(tmp_path: Path) -> None:
    report = played(tmp_path, script("- say: '{helper_login}'"))
    assert (report.unsupported, report.cases[0].detail) == (["T1"], "placeholder.helper_login")


def test_time_silence_calls_and_photos_reach_the_world(tmp_path: Path) -> None:
    steps = """
        - call_in: "010"
        - expect: {says: [您好], channel: voice, asks: open}
        - silence: 8s
        - expect: {says: [不着急]}
        - voice: {nbest: [交水费], confidence: 0.9}
        - expect: {asks: confirm}
        - photo: {file: a.png, content: unreadable}
        - expect: {says: [unreadable]}
        - voice: 谢谢
        - expect: {ends: true}
        - hangup: true
    """
    report = played(tmp_path, script(steps, tail="then: {hung_up_by: bot_before_ticket}"))
    assert report.passed == 1, report.cases


def test_mark_is_the_last_human_step_not_the_last_event(tmp_path: Path) -> None:
    steps = (
        PAYING + "- event: {biller_ack: {account: W-MEI, fen: 4650}}\n- expect: {says: ['已扣款.*已销账']}\n"
    )
    assert played(tmp_path, script(steps)).passed == 1


def test_the_others_are_addressed_by_name(tmp_path: Path) -> None:
    steps = "- by: bo\n  say: 交水费\n- expect: {to: bo, asks: confirm}\n- expect: {not_says: ['.']}"
    assert played(tmp_path, script(steps)).passed == 1


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("- {id: T1, persona: mei, given: {tamper: {}}, steps: []}", "given.tamper"),
        ("- {id: T1, persona: mei, given: {weather: wet}, steps: []}", "given.weather"),
        ("- {id: T1, persona: mei, given: {history: [Z9]}, steps: []}", "given.history.Z9"),
        ("- {id: T1, persona: mei, given: {history: 200_talks}, steps: []}", "given.history.200_talks"),
        ("- {id: T1, persona: mei, given: {mandate: Z9}, steps: []}", "given.mandate.Z9"),
        ("- {id: T1, persona: mei, steps: [{event: {meter: {}}}]}", "event.meter"),
        ("- {id: T1, persona: mei, steps: [], then: {mandates: []}}", "then.mandates"),
        ("- {id: T1, persona: mei, steps: [{say: 自动缴费}, {expect: {says: [x]}}]}", "flow.set_mandate"),
        ("- {id: T1, persona: mei, steps: [{sing: la}]}", "step.sing"),
    ],
)
def test_what_is_not_there_is_unsupported_by_its_key(tmp_path: Path, text: str, key: str) -> None:
    report = played(tmp_path, text)
    assert (report.unsupported, report.failed) == (["T1"], 0)
    assert report.cases[0].detail == key


def test_every_missing_key_is_named_before_the_first_step(tmp_path: Path) -> None:
    started: list[bool] = []

    class Poor(ToyWorld):
        def supports(self, key: str) -> bool:
            return key not in ("step.photo", "then.holds")

        async def say(self, person: str, text: str) -> None:
            started.append(True)

    text = script("- say: 你好\n- photo: a.png", tail="then: {holds: []}")
    report = played_with([written(tmp_path, text)], Poor)
    assert report.cases[0].detail == "step.photo, then.holds"
    assert not started


def test_rendering_without_a_renderer_is_left_out_and_listed(tmp_path: Path) -> None:
    steps = "- say: 交水费\n- expect: {image: {min_font_px: 60}, voice_note: true, says: [水费]}"
    report = played(tmp_path, script(steps), missing=("expect.image", "expect.voice_note"))
    assert report.passed == 1
    assert report.cases[0].left_out == ("expect.image", "expect.voice_note")


def test_invariants_the_world_cannot_tell_about_are_listed(tmp_path: Path) -> None:
    class Blind(ToyWorld):
        async def facts(self):  # type: ignore[no-untyped-def]
            from dialogues.testing.world import WorldFacts

            return WorldFacts(self.clock.now())

    report = played_with([written(tmp_path, script("- say: 交水费"))], Blind)
    assert report.cases[0].left_out == ("S-I1", "S-I2", "S-I3", "S-I4", "S-I5", "S-I6", "S-I9")


@pytest.mark.parametrize(
    ("flaw", "law", "steps"),
    [
        ("forgets_yes", "S-I1", PAYING),
        ("lies", "S-I3", PAYING),
        ("leaks", "S-I5", PAYING),
        ("no_person", "S-I6", "- say: 交水费\n- say: 人工"),
        ("no_person", "S-I6", "- say: 交水费\n- key: '0'"),
        ("nags", "S-I7", "- say: 一\n- say: 二\n- say: 三"),
        ("shows_others", "S-I9", "- say: 交水费"),
    ],
)
def test_an_invariant_fails_a_talk_that_expects_nothing(
    tmp_path: Path, flaw: str, law: str, steps: str
) -> None:
    assert played(tmp_path, script(steps)).passed == 1
    report = played(tmp_path, script(steps), flaw=flaw)
    assert report.failed == 1
    assert law in report.cases[0].detail


def test_what_is_sent_to_the_rail_after_a_stop_fails(tmp_path: Path) -> None:
    steps = "- say: 交水费\n- say: 确认 {valid_code}\n- say: 停\n- advance: 5m"
    assert played(tmp_path, script(steps)).passed == 1
    report = played(tmp_path, script(steps), flaw="stops_late")
    assert "S-I6: sent to the rail after mei stopped" in report.cases[0].detail


def test_a_message_at_night_fails(tmp_path: Path) -> None:
    assert "S-I10" in played(tmp_path, script("- say: 晚点告诉我\n- advance: 14h")).cases[0].detail


def test_a_broken_world_is_a_failed_case_and_is_closed(tmp_path: Path) -> None:
    worlds: list[ToyWorld] = []

    def factory() -> ToyWorld:
        worlds.append(ToyWorld(flaw="hangs"))
        return worlds[-1]

    report = played_with([written(tmp_path, script(PAYING))], factory)
    assert "RuntimeError: the desk is on fire at toy.py" in report.cases[0].detail
    assert worlds[0].closed


def test_a_button_that_is_not_there_fails(tmp_path: Path) -> None:
    detail = played(tmp_path, script("- tap: affirm")).cases[0].detail
    assert "no button /affirm" in detail


def test_history_is_played_first_and_its_captures_are_not_new(tmp_path: Path) -> None:
    first = script(PAYING)
    second = script(
        PAYING,
        head="given: {history: [T1]}",
        tail="then: {captures_new: [{account: W-MEI, fen: 4650}], captures: [{account: W-MEI, fen: 4650}, {account: W-MEI, fen: 4650}]}",
    ).replace("id: T1", "id: T2")
    assert played(tmp_path, first + second).passed == 2


def test_what_history_needs_is_needed(tmp_path: Path) -> None:
    text = script("- photo: a.png") + script("- say: 你好", head="given: {history: [T1]}").replace(
        "id: T1", "id: T2"
    )
    report = played(tmp_path, text, missing=("step.photo",))
    assert report.unsupported == ["T1", "T2"]


def test_a_mandate_by_name_is_what_that_script_leaves(tmp_path: Path) -> None:
    given: list[object] = []

    class Noting(ToyWorld):
        async def arrange(self, given_now):  # type: ignore[no-untyped-def]
            given.append(dict(given_now))

    text = script("- say: 你好", tail="then: {mandates: [{account: E-LI, below: 2000}]}") + script(
        "- say: 你好", head="given: {mandate: T1}"
    ).replace("id: T1", "id: T2", 1)
    played_with([written(tmp_path, text)], Noting, only=["T2"])
    assert given == [{"mandate": [{"account": "E-LI", "below": 2000}]}]


def test_a_race_is_run_in_as_many_orders_as_asked(tmp_path: Path) -> None:
    orders: list[str] = []

    class Racing(ToyWorld):
        async def say(self, person: str, text: str) -> None:
            orders.append(text)

    steps = "- event: {race: [{say: a}, {say: b}, {say: c}]}"
    text = script(steps, head="given: {interleavings: 12}", tail="then: {for_every_order: {captures: []}}")
    report = played_with([written(tmp_path, text)], Racing)
    assert report.passed == 1
    runs = {"".join(orders[n : n + 3]) for n in range(0, len(orders), 3)}
    assert len(orders) == 36
    assert len(runs) > 3
    again = list(orders)
    orders.clear()
    played_with([written(tmp_path, text)], Racing)
    assert orders == again


def test_for_every_order_fails_with_the_order_in_which_it_is_not_so(tmp_path: Path) -> None:
    text = script(
        "- say: 交水费\n- event: {race: [{say: 确认}, {by: bo, say: 你好}]}\n- say: '{valid_code}'",
        head="given: {interleavings: 4}",
        tail="then: {for_every_order: {captures: []}}",
    )
    assert "captures are" in played(tmp_path, text).cases[0].detail


def test_an_unsupported_step_inside_a_race_is_named(tmp_path: Path) -> None:
    report = played(tmp_path, script("- event: {race: [{say: 你好}, {event: {meter: {}}}]}"))
    assert report.cases[0].detail == "event.meter"


def test_kill_and_restart_restarts(tmp_path: Path) -> None:
    worlds: list[ToyWorld] = []

    def factory() -> ToyWorld:
        worlds.append(ToyWorld())
        return worlds[-1]

    played_with([written(tmp_path, script("- event: {process: kill_and_restart}"))], factory)
    assert worlds[0].restarts == 1


def test_report_is_the_json_that_was_promised(tmp_path: Path) -> None:
    text = script(PAYING) + "- {id: T2, persona: mei, steps: [{event: {meter: {}}}]}\n- {persona: mei}\n"
    report = played(tmp_path, text)
    told = json.loads(json.dumps(report.as_json()))
    assert list(told) == ["passed", "failed", "unsupported", "cases"]
    assert (told["passed"], told["failed"], told["unsupported"]) == (1, 1, ["T2"])
    assert [set(c) for c in told["cases"]] == [{"id", "status", "detail", "left_out", "seconds"}] * 3
    assert told["cases"][0]["id"].startswith("talks.yml:")
    assert told["cases"][0]["status"] == "failed"


def test_only_those_asked_for_are_played_and_a_name_that_is_nowhere_is_said(tmp_path: Path) -> None:
    text = script(PAYING) + script(PAYING).replace("T1", "T2")
    report = played(tmp_path, text, only=["T2", "T9"])
    assert [(c.id, c.status) for c in report.cases] == [("T9", "failed"), ("T2", "passed")]


def test_progress_is_told_case_by_case(tmp_path: Path) -> None:
    told: list[CaseResult] = []
    report = played(tmp_path, script(PAYING), mutations=("restart",), progress=told.append)
    assert [c.id for c in told] == ["T1", "T1+restart"]
    assert tuple(told) == report.cases


def test_a_folder_gives_its_talks_but_not_its_explanations(tmp_path: Path) -> None:
    written(tmp_path, script(PAYING), "a.yml")
    written(tmp_path, "# How to write talks\nuse ```` ```yaml ```` blocks\n", "notes.md")
    written(tmp_path, "fixtures: []\n", "conftest.yml")
    report = played_with([tmp_path], ToyWorld)
    assert [c.id for c in report.cases] == ["T1"]


async def test_inside_a_running_loop(tmp_path: Path) -> None:
    report = await play([written(tmp_path, script(PAYING))], ToyWorld)
    assert report.passed == 1


def test_unsupported_says_its_key() -> None:
    assert Unsupported("given.weather").key == "given.weather"
