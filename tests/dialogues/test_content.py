"""A release is named by what it says: however its files are written the name is the same, and nothing a person notices may change it not."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues import content, loader
from dialogues.model import ActionSpec, Release
from dialogues.wire import NotOurs
from dialogues.yamlfile import read
from nlu.commands import Affirm, Code, CorrectSlot, SetSlot, StartFlow
from tests.dialogues.talking import ACTIONS, FIXTURES, Talk, at_read_back, shop

FILES = [FIXTURES / "domain.yml", FIXTURES / "flows.yml", *sorted((FIXTURES / "responses").glob("*.yml"))]


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same with every mapping's keys in another order; lists are as they were."""
    if isinstance(value, dict):
        keys = chance.sample(list(value), len(value))
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(one, chance) for one in value] if isinstance(value, list) else value


def pieces(path: Path, chance: random.Random) -> Iterator[tuple[Path, Any]]:
    """A file as several: one flow, one slot or one sentence each, in any order."""
    whole, found = read(path), []
    for key in ("flows", "slots", "responses"):
        found += [{key: {name: shuffled(one, chance)}} for name, one in (whole.get(key) or {}).items()]
    chance.shuffle(found)
    for number, one in enumerate(found):
        # A sentence's language is told by the name of its folder.
        yield Path(path.parent.name) / path.stem / f"{number}.yml", one


def written(value: Any, chance: random.Random) -> str:
    """Another hand's YAML: with a comment, blocks or braces, escapes or not, broken into short lines or not."""
    text = yaml.safe_dump(
        value,
        allow_unicode=chance.random() < 0.5,
        sort_keys=False,
        indent=chance.choice([2, 4, 7]),
        width=chance.choice([20, 80, 10_000]),
        default_flow_style=chance.choice([None, False]),
    )
    return f"# 另一个样子 {chance.random()}\n\n{text}\n# 完\n"


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_however_the_files_are_written_the_name_is_the_same(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance, folder = random.Random(seed), tmp_path_factory.mktemp("written")
    paths = []
    for path in FILES:
        for place, value in pieces(path, chance):
            paths.append(folder / place)
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            paths[-1].write_text(written(value, chance), "utf-8")
    chance.shuffle(paths)
    again = loader.load(paths, ACTIONS)
    assert (again.id, content.content(again)) == (shop().id, content.content(shop()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("slots.amount > slots.due", "slots.amount   >slots.due"),
        ('context.outcome is "paid"', "context.outcome == 'paid'"),
        ('context.outcome is "trouble"', '( context.outcome is "trouble" )'),
    ],
)
def test_a_condition_is_what_it_means(tmp_path: Path, old: str, new: str) -> None:
    assert changed(tmp_path, "flows.yml", old, new).id == shop().id


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("flows.yml", "slots.amount > slots.due", "slots.amount >= slots.due"),
        ("flows.yml", 'finish: "#"', 'finish: "*"'),
        ("flows.yml", "optional: true", "optional: false"),
        ("flows.yml", "reads_back: [holder, amount, method]", "reads_back: [holder, method, amount]"),
        ("flows.yml", "name: 交费", "name: 缴费"),
        ("flows.yml", "persisted_slots: [nickname]", "persisted_slots: []"),
        ("flows.yml", "action: utter_renamed", "action: utter_where_printed"),
        ("domain.yml", "values: [power, water]", "values: [power, water, gas]"),
        ("domain.yml", "initial_value: 0", "initial_value: 1"),
        ("domain.yml", "depends_on: [kind]", "depends_on: []"),
        ("responses/zh.yml", "字放大了。", "字放大了!"),
        ("responses/en.yml", "Larger now.", "Larger now!"),
    ],
)
def test_what_a_person_could_notice_gives_another_name(tmp_path: Path, file: str, old: str, new: str) -> None:
    assert changed(tmp_path, file, old, new).id != shop().id


def changed(folder: Path, file: str, old: str, new: str) -> Release:
    paths = []
    for path in FILES:
        name, text = str(path.relative_to(FIXTURES)), path.read_text("utf-8")
        assert name != file or old in text
        paths.append(folder / name)
        paths[-1].parent.mkdir(exist_ok=True)
        paths[-1].write_text(text.replace(old, new) if name == file else text, "utf-8")
    return loader.load(paths, ACTIONS)


# --- nothing is forgotten --------------------------------------------------------------------------------------------


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every plain value of a release, but for the places in files and the text of a condition."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        for part in fields(value):
            if part.name != "where" and (kind, part.name) != ("Predicate", "text"):
                yield from leaves(getattr(value, part.name), (*way, part.name))
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*way, key))
    elif isinstance(value, list | tuple):
        for at, one in enumerate(value):
            yield from leaves(one, (*way, at))
    else:
        yield way


def other(value: Any, way: tuple[Any, ...]) -> Any:
    """The same with the plain value at the end of the way replaced."""
    if not way:
        return (
            not value
            if isinstance(value, bool)
            else (value or 0) + 1
            if not isinstance(value, str)
            else value + "x"
        )
    key, *rest = way
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{key: other(getattr(value, key), tuple(rest))})
    if isinstance(value, dict):
        return {**value, key: other(value[key], tuple(rest))}
    return type(value)((*value[:key], other(value[key], tuple(rest)), *value[key + 1 :]))


PARTS = ("flows", "slots", "responses", "session")
WAYS = [(part, *way) for part in PARTS for way in leaves(getattr(shop(), part))]


@settings(max_examples=60, deadline=None)
@given(way=st.sampled_from(WAYS))
def test_every_value_of_a_release_is_in_its_name(way: tuple[Any, ...]) -> None:
    changed = replace(shop(), **{way[0]: other(getattr(shop(), way[0]), way[1:])})
    assert content.named(changed).id != shop().id


@pytest.mark.prove
def test_each_value_of_a_release_is_in_its_name() -> None:
    names = [content.named(replace(shop(), **{w[0]: other(getattr(shop(), w[0]), w[1:])})).id for w in WAYS]
    assert shop().id not in names
    assert len(names) > 1_000


@pytest.mark.parametrize(
    ("name", "change", "same"),
    [
        ("action_quote", {"outcomes": ("due", "trouble")}, False),
        ("action_quote", {"writes": ()}, False),
        ("action_quote", {"reads": ("kind",)}, False),
        ("action_quote", {"deadline_seconds": 1.0}, True),
        ("action_note_digit_doubt", {"outcomes": ("noted", "lost")}, True),
    ],
)
def test_what_actions_promise_is_in_it_as_far_as_flows_rely_on_it(
    name: str, change: dict[str, Any], same: bool
) -> None:
    spec = replace(ACTIONS[name], **change)
    assert (content.named(replace(shop(), actions={**ACTIONS, name: spec})).id == shop().id) is same


# --- and back --------------------------------------------------------------------------------------------------------


def test_a_kept_release_talks_as_the_one_it_was_kept_from() -> None:
    kept = replace(content.opened(shop().id, shop().packed), actions=dict(ACTIONS))
    assert content.content(kept) == content.content(shop())
    talks = [Talk(release=one) for one in (shop(), kept)]
    for words in (
        [StartFlow("rename")],
        [StartFlow("pay", {"kind": "power"})],
        [SetSlot("account", "31004567")],
        [Affirm()],
        [SetSlot("amount", 99_999)],
        [SetSlot("amount", 5_000)],
        [CorrectSlot("kind", "water")],
        [Code("1")],
    ):
        done = [talk.say(*words).serve().effects for talk in talks]
        assert done[0] == done[1]
        assert talks[0].now == talks[1].now


def test_a_read_back_is_said_in_the_kept_words() -> None:
    kept = replace(content.opened(shop().id, shop().packed), actions=dict(ACTIONS))
    talk = at_read_back()
    there = talk.copy()
    there.release = kept
    assert there.say(Affirm()).effects == talk.say(Affirm()).effects


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"no such thing",
        zlib.compress(b"[]"),
        zlib.compress(content.content(shop()).replace("utter_paid", "utter_lost").encode()),
        shop().packed[:-9],
    ],
)
def test_what_is_not_what_its_name_says_is_no_release(packed: bytes) -> None:
    with pytest.raises(NotOurs):
        content.opened(shop().id, packed)


def test_a_content_of_another_form_is_no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_FORM", 2)
    newer = content.named(shop())
    monkeypatch.undo()
    assert newer.id != shop().id
    with pytest.raises(NotOurs, match="another form"):
        content.opened(newer.id, newer.packed)


def test_a_content_without_end_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_LONGEST", 100)
    with pytest.raises(NotOurs, match="longer"):
        content.opened(shop().id, shop().packed)


def test_an_action_nobody_wrote_is_not_promised() -> None:
    assert "action_quote" in content.content(shop())
    promised = content.opened(shop().id, shop().packed).actions
    assert promised["action_quote"] == content.promise(ACTIONS["action_quote"])
    assert "action_note_digit_doubt" not in promised
    assert all(isinstance(spec, ActionSpec) for spec in promised.values())
