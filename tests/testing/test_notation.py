"""Every word of the notation is understood; a word nobody has explained is kept by name; a wrong value has a place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dialogues.testing.needs import needs
from dialogues.testing.reading import read
from dialogues.testing.script import (
    AUDIT,
    EVENTS,
    GIVEN,
    THEN,
    TICKETS,
    Advance,
    Event,
    Expect,
    Heard,
    Human,
    Photo,
    Race,
    Script,
    Tap,
)
from tests.testing.talks import script, written

NOTATION = Path(__file__).parents[1] / "scenarios" / "notation.md"


def _one(folder: Path, text: str) -> Script:
    book = read(written(folder, text))
    assert not book.mistakes
    return book.scripts[0]


def _step(folder: Path, text: str) -> Any:
    return _one(folder, script(f"- {text}")).steps[0]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("say: 交电费", "say", "交电费"),
        ('say: "0319"', "say", "0319"),
        ("say: 嗯 {valid_pin}", "say", "嗯 {valid_pin}"),
        ("voice: 对的", "voice", Heard(("对的",))),
        ("voice: {nbest: [四, 十], confidence: 0.4}", "voice", Heard(("四", "十"), 0.4)),
        ('key: "1234#"', "key", "1234#"),
        ("key: 1", "key", "1"),
        ("tap: call_elder_now", "tap", Tap("call_elder_now")),
        ("tap: hand_back_with(pay, E-CHENG)", "tap", Tap("hand_back_with", ("pay", "E-CHENG"))),
        ("photo: bill.png", "photo", Photo("bill.png", "")),
        ("photo: {file: bill.png, content: unreadable}", "photo", Photo("bill.png", "unreadable")),
        ("silence: 8s", "silence", timedelta(seconds=8)),
        ('call_in: "01055501111"', "call_in", "01055501111"),
        ("hangup: true", "hangup", None),
    ],
)
def test_what_people_do(tmp_path: Path, text: str, kind: str, value: object) -> None:
    step = _step(tmp_path, text)
    assert isinstance(step, Human)
    assert (step.kind, step.value, step.person) == (kind, value, None)


def test_somebody_else_acts(tmp_path: Path) -> None:
    assert _step(tmp_path, "{by: bo, say: 你好}").person == "bo"


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("90s", timedelta(seconds=90)),
        ("27h", timedelta(hours=27)),
        ("3d", timedelta(days=3)),
        ("30m", timedelta(minutes=30)),
    ],
)
def test_the_clock_moves(tmp_path: Path, text: str, by: timedelta) -> None:
    step = _step(tmp_path, f"advance: {text}")
    assert isinstance(step, Advance)
    assert step.by == by


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        (
            "{meter: {account: E-LI, balance: 1790, duplicate_of: previous}}",
            "meter",
            {"account": "E-LI", "balance": 1790, "duplicate_of": "previous"},
        ),
        ("{gateway: down}", "gateway", "down"),
        ("{callbacks: [paid, failed_late]}", "callbacks", ["paid", "failed_late"]),
        (
            "{callback: {status: paid, signature: wrong}}",
            "callback",
            {"status": "paid", "signature": "wrong"},
        ),
        ("{outbound_call: lijg}", "outbound_call", "lijg"),
        ("{process: kill_and_restart}", "process", "kill_and_restart"),
    ],
)
def test_what_happens_outside(tmp_path: Path, text: str, name: str, value: object) -> None:
    step = _step(tmp_path, f"event: {text}")
    assert isinstance(step, Event)
    assert (step.name, step.value) == (name, value)


def test_a_race_holds_steps(tmp_path: Path) -> None:
    step = _step(tmp_path, "event: {race: [{say: 确认}, {by: bo, say: 停}]}")
    assert isinstance(step, Race)
    assert [(s.value, s.person) for s in step.steps if isinstance(s, Human)] == [("确认", None), ("停", "bo")]


def test_what_is_expected(tmp_path: Path) -> None:
    step = _step(
        tmp_path,
        "expect: {says: ['a', 'b'], not_says: 'c', asks: code, to: bo, channel: voice, max_chars: 40, "
        "image: {min_font_px: 60}, voice_note: true, slower: true, bot_silent: true, ends: true, "
        "not_repeat_exactly: true}",
    )
    assert isinstance(step, Expect)
    assert (step.says, step.not_says, step.asks, step.to) == (("a", "b"), ("c",), "code", "bo")
    assert (step.channel, step.max_chars, step.image) == ("voice", 40, {"min_font_px": 60})
    assert all((step.voice_note, step.slower, step.bot_silent, step.ends, step.not_repeat_exactly))


def test_the_whole_page_of_words_is_known() -> None:
    """Words in backticks in the notation's tables and lists are words the runner has."""
    page = NOTATION.read_text("utf-8")
    table = page[page.index("## given") : page.index("Faults:")]
    given = {row.split("|")[1].strip() for row in table.splitlines() if row.startswith("| ")}
    assert given - {"key"} == GIVEN
    for word in THEN:
        assert word in page
    for word in AUDIT | TICKETS | (EVENTS - {"race"}):
        assert word in page


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("- {id: T, persona: mei, mood: calm, steps: []}", "script.mood"),
        ("- {id: T, persona: mei, given: {weather: wet}, steps: []}", "given.weather"),
        ("- {id: T, persona: mei, steps: [{sing: la}]}", "step.sing"),
        ("- {id: T, persona: mei, steps: [{event: {flood: big}}]}", "event.flood"),
        ("- {id: T, persona: mei, steps: [{event: sunset}]}", "event.sunset"),
        ("- {id: T, persona: mei, steps: [{expect: {smells: good}}]}", "expect.smells"),
        ("- {id: T, persona: mei, steps: [], then: {peace: true}}", "then.peace"),
    ],
)
def test_an_unknown_word_is_kept_by_name(tmp_path: Path, text: str, key: str) -> None:
    assert _one(tmp_path, text).unknown == (key,)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("- persona: mei\n  steps: []", 1, "a script needs 'id'"),
        ("- id: T\n  steps: []", 1, "a script needs 'persona'"),
        ("- id: T\n  persona: mei", 1, "a script needs 'steps'"),
        ("- hello", 1, "a script must be a mapping"),
        ("- id: T\n  persona: mei\n  steps: hello", 3, "steps must be a list"),
        (
            "- id: T\n  persona: mei\n  release: v9\n  steps: []",
            3,
            "release must be one of v1, later, not 'v9'",
        ),
        ("- id: T\n  persona: mei\n  steps:\n    - hello", 4, "a step must be a mapping"),
        ("- id: T\n  persona: mei\n  steps:\n    - {say: a, key: b}", 4, "a step does exactly one thing"),
        (
            "- id: T\n  persona: mei\n  steps:\n    - by: bo",
            4,
            "a step does exactly one thing, this one: nothing",
        ),
        ("- id: T\n  persona: mei\n  steps:\n    - say: []", 4, "say must be a text"),
        ("- id: T\n  persona: mei\n  steps:\n    - silence: soon", 4, "silence must be a length of time"),
        ("- id: T\n  persona: mei\n  steps:\n    - advance: 5", 4, "advance must be a length of time"),
        ("- id: T\n  persona: mei\n  steps:\n    - tap: 'two words'", 4, "tap: not a command"),
        ("- id: T\n  persona: mei\n  steps:\n    - hangup: no", 4, "hangup must be true"),
        ("- id: T\n  persona: mei\n  steps:\n    - voice: {nbest: []}", 4, "voice needs 'nbest'"),
        (
            "- id: T\n  persona: mei\n  steps:\n    - voice: {nbest: [a], confidence: 2}",
            4,
            "confidence must be",
        ),
        ("- id: T\n  persona: mei\n  steps:\n    - voice: {text: a}", 4, "voice: unknown key 'text'"),
        ("- id: T\n  persona: mei\n  steps:\n    - photo: {name: a}", 4, "photo: unknown key 'name'"),
        ("- id: T\n  persona: mei\n  steps:\n    - event: {a: 1, b: 2}", 4, "an event is one thing"),
        ("- id: T\n  persona: mei\n  steps:\n    - event: {process: nap}", 4, "process must be one of"),
        ("- id: T\n  persona: mei\n  steps:\n    - event: {race: [{expect: {}}]}", 4, "a race is run by"),
        ("- id: T\n  persona: mei\n  steps:\n    - expect: {says: ['(']}", 4, "is not a regular expression"),
        (
            "- id: T\n  persona: mei\n  steps:\n    - expect: {max_chars: few}",
            4,
            "max_chars must be a whole number",
        ),
        ("- id: T\n  persona: mei\n  steps:\n    - expect: {ends: 1}", 4, "ends must be true or false"),
        (
            "- id: T\n  persona: mei\n  steps: []\n  then:\n    captures: [{fen: 1}]",
            5,
            "captures needs 'account'",
        ),
        (
            "- id: T\n  persona: mei\n  steps: []\n  then:\n    posted: [{account: A, fen: 1.5}]",
            5,
            "fen must be a whole",
        ),
        ("- id: T\n  persona: mei\n  steps: []\n  then: {outbox: [a]}", 4, "outbox must be a mapping"),
        (
            "- id: T\n  persona: mei\n  given: {interleavings: many}\n  steps: []",
            3,
            "interleavings must be a whole",
        ),
        (
            "- id: T\n  persona: mei\n  given: {payment_done: {fen: 3}}\n  steps: []",
            3,
            "payment_done needs 'account'",
        ),
    ],
)
def test_a_wrong_value_is_a_mistake_with_its_place(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    book = read(written(tmp_path, text))
    assert not book.scripts
    assert book.mistakes[0].where.line == line
    assert message in book.mistakes[0].message


def test_needs_name_everything_the_world_must_have(tmp_path: Path) -> None:
    one = _one(
        tmp_path,
        script(
            "- by: stranger\n  tap: take_over(mei)\n- expect: {image: true, slower: true}\n- event: {race: [{key: '1'}]}",
            head="channel: voice\ngiven: {gateway: {next: {timeout_then_paid_after: 90s}}, billers: all_down, history: [A]}",
            tail="then: {audit: [captured], tickets: [{kind: dispute}], receipts: [{layout: large_print}], hung_up_by: bot}",
        ),
    )
    assert needs(one) == (
        "channel.voice",
        "given.gateway",
        "fault.timeout_then_paid_after",
        "given.billers",
        "fault.down",
        "step.tap",
        "tap.take_over",
        "persona.stranger",
        "expect.image",
        "expect.slower",
        "event.race",
        "step.key",
        "then.audit",
        "audit.captured",
        "then.tickets",
        "ticket.dispute",
        "then.receipts",
        "then.receipts.layout",
    )
