"""Each key of `expect` looks at what was sent since the last human step, and says what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialogues.model import Where
from dialogues.testing.expecting import complaints
from dialogues.testing.moment import Moment
from dialogues.testing.script import Expect
from dialogues.testing.world import Sent, Talk, WorldFacts
from tests.testing.talks import played, script

NOW = datetime(2026, 3, 10, 1, tzinfo=UTC)


def _sent(text: str, person: str = "mei", **more: Any) -> Sent:
    return Sent(person, text, NOW, **more)


def _moment(*heard: Sent, before: tuple[Sent, ...] = (), waits_for: str | None = None) -> Moment:
    talks = {"mei": Talk(waits_for=waits_for)}
    return Moment("mei", (*before, *heard), WorldFacts(NOW, talks=talks), mark=len(before))


def _expect(**keys: Any) -> Expect:
    return Expect(Where("t.yml", 1), **keys)


def test_says_is_searched_over_all_messages_in_any_order_and_across_them() -> None:
    moment = _moment(_sent("水费 46.50元"), _sent("交吗？"))
    assert not complaints(_expect(says=("交吗", r"46\.50.*交")), moment)
    assert any("/燃气/" in c for c in complaints(_expect(says=("燃气",)), moment))
    assert any("must not say" in c for c in complaints(_expect(not_says=("水费",)), moment))


def test_only_what_was_sent_since_the_last_human_step_counts() -> None:
    moment = _moment(_sent("好的"), before=(_sent("水费"),))
    assert complaints(_expect(says=("水费",)), moment)
    assert not complaints(_expect(not_says=("水费",)), moment)


def test_to_looks_into_somebody_elses_outbox() -> None:
    moment = _moment(_sent("充了100元", "bo"))
    assert not complaints(_expect(to="bo", says=("100",)), moment)
    assert complaints(_expect(says=("100",)), moment)


def test_asks_is_the_last_question() -> None:
    two = _moment(_sent("水费，交吗？", asks="confirm"), _sent("请输入验证码", asks="code"))
    assert not complaints(_expect(asks="code"), two)
    assert complaints(_expect(asks="confirm"), two)


def test_asks_open_needs_a_message_and_no_open_question() -> None:
    assert not complaints(_expect(asks="open"), _moment(_sent("交好了")))
    assert complaints(_expect(asks="open"), _moment())
    assert complaints(_expect(asks="open"), _moment(_sent("交好了"), waits_for="confirm"))


def test_channel_narrows_what_is_heard() -> None:
    moment = _moment(_sent("按1", channel="voice"), _sent("同意吗", channel="telegram"))
    assert not complaints(_expect(channel="voice", says=("按1",), not_says=("同意",)), moment)
    assert complaints(_expect(channel="web"), moment)


def test_max_chars_counts_a_reply_not_the_whole_talk() -> None:
    moment = _moment(_sent("一" * 30, cause="a"), _sent("二" * 30, cause="b"))
    assert not complaints(_expect(max_chars=40), moment)
    together = _moment(_sent("一" * 30, cause="a"), _sent("二" * 30, cause="a"))
    assert complaints(_expect(max_chars=40), together)


def test_manner_of_speaking() -> None:
    usual = (_sent("18.60元", rate=1.0),)
    slow = _moment(_sent("18.60", rate=0.85), before=usual)
    assert not complaints(_expect(slower=True), slow)
    assert complaints(_expect(slower=True), _moment(_sent("18.60", rate=1.0), before=usual))
    assert not complaints(_expect(ends=True), _moment(_sent("再见", ends=True)))
    assert complaints(_expect(ends=True), _moment(_sent("再见")))
    assert not complaints(_expect(bot_silent=True), _moment(_sent("您好", speaker="小赵")))
    assert complaints(_expect(bot_silent=True), _moment(_sent("您好")))
    same = _moment(_sent("请再说一遍"), before=(_sent("请再说一遍"),))
    assert complaints(_expect(not_repeat_exactly=True), same)
    assert not complaints(_expect(not_repeat_exactly=True), slow)


@pytest.mark.parametrize(
    ("wanted", "good"),
    [
        (True, True),
        ({"min_font_px": 60, "contrast": ">=7", "width_px": 1080}, True),
        ({"min_font_px": 72}, False),
        ({"contrast": ">=15"}, False),
        ({"width_px": 720}, False),
        ({"has_text": ["46.50"]}, True),
        ({"has_text": ["46.50", "88"]}, False),
    ],
)
def test_card(wanted: Any, good: bool) -> None:
    card = {"min_font_px": 64, "contrast": 12.6, "width_px": 1080, "text": "水费\n46.50元"}
    found = complaints(_expect(image=wanted), _moment(_sent("水费", image=card)))
    assert (not found) is good


def test_rendering_without_a_renderer_is_left_out_not_failed() -> None:
    wanted = _expect(image={"min_font_px": 60}, voice_note=True)
    assert complaints(wanted, _moment(_sent("水费")))
    assert not complaints(wanted, _moment(_sent("水费")), ("expect.image", "expect.voice_note"))


def test_a_failed_expectation_says_where_and_what_was_heard(tmp_path: Path) -> None:
    report = played(tmp_path, script("- say: 交水费\n- expect: {says: [燃气], asks: code}"))
    assert report.cases[0].status == "failed"
    detail = report.cases[0].detail
    assert "talks.yml:5" in detail
    assert "does not say /燃气/" in detail
    assert "asks confirm, expected code" in detail
    assert "46.50元" in detail


def test_several_expectations_look_at_the_same_messages(tmp_path: Path) -> None:
    steps = "- say: 交水费\n- expect: {says: ['46']}\n- expect: {says: ['水费']}\n- expect: {to: bo, not_says: ['.']}"
    assert played(tmp_path, script(steps)).passed == 1
