"""Flows as written in Rasa's open format, read strictly: what asks, acts, branches and ends, with unique step names.

Nested `then` and `else` lists become ordinary steps. Anything the format does not know is a mistake; our own words stand
under `metadata`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from dialogues import vocabulary
from dialogues.model import Branch, Flow, Rejection, Step
from dialogues.predicate import Predicate, always
from dialogues.problems import Reading, nearest
from dialogues.yamlfile import Items, Table, line_of

END = "END"
START = "START"  # in a trail: values that came with the wish itself
DEFAULT_LOCALE = "zh"
PATTERN = "pattern_"  # flows by which Rasa repairs a talk; here the engine itself does
HANDOFF = "pattern_human_handoff"  # the one of them that flows may link to: a person comes

_KINDS = ("action", "collect", "set_slots", "call", "link", "noop")
_MORE_WORDS = {"collect": ["collect"], "call": ["call"]}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_flows(reading: Reading, table: Table) -> dict[str, Flow]:
    """The flows under `flows:` of one file; mistakes are left with the reading."""
    flows: dict[str, Flow] = {}
    for name, value in table.items():
        line = line_of(table, name)
        if not _NAME.fullmatch(name):
            reading.wrong(line, f"'{name}' is no name for a flow", "letters, digits and _")
        flows[name] = _FlowReader(reading, name, line).flow(reading.as_table(value, line, f"flow {name}"))
    return flows


class _FlowReader:
    """One flow being read."""

    def __init__(self, reading: Reading, name: str, line: int) -> None:
        self.reading = reading
        self.name = name
        self.what = f"flow {name}"
        self.line = line
        self.ids: dict[int, str] = {}
        self.steps: dict[str, Step] = {}
        self.kept: list[str] = []

    def flow(self, table: Table) -> Flow:
        """The flow, with its steps in file order."""
        reading, what = self.reading, self.what
        reading.words(table, what, "flow")
        for flag in ("always_include_in_prompt", "run_pattern_completed"):
            reading.flag(table, flag, what)
        if not reading.text(table, "description", what):
            reading.wrong(self.line, f"{what} has no description", "one sentence: what it does for people")
        items = reading.items(table, "steps", what)
        if not items:
            reading.wrong(self.line, f"{what} has no steps")
        self._name_steps(items)
        self._build(items, END)
        self._check_targets()
        return Flow(
            id=self.name,
            name=self._names(table),
            description=reading.text(table, "description", what),
            steps=self.steps,
            first=next(iter(self.steps), END),
            guard=self._guard(table),
            intents=tuple(self._intents(table)),
            persisted=reading.texts(table, "persisted_slots", what) + tuple(self.kept),
            where=reading.place(self.line),
        )

    # --- what is said of the flow

    def _names(self, table: Table) -> dict[str, str]:
        names = {}
        if name := self.reading.text(table, "name", self.what):
            names[DEFAULT_LOCALE] = name
        translations = self.reading.table(table, "translation", self.what)
        for locale, value in translations.items():
            words = self.reading.as_table(value, line_of(translations, locale), f"translation of {self.what}")
            self.reading.words(words, f"translation of {self.what}", "translation of a flow")
            if name := self.reading.text(words, "name", self.what):
                names[locale] = name
        return names

    def _guard(self, table: Table) -> Predicate | None:
        if table.get("if", True) is True:
            return None
        return self.reading.condition(table, "if", self.what)

    def _intents(self, table: Table) -> Iterator[str]:
        triggers = self.reading.items(table, "nlu_trigger", self.what)
        for place, trigger in enumerate(triggers):
            line = line_of(triggers, place)
            one = self.reading.as_table(trigger, line, f"nlu_trigger of {self.what}")
            self.reading.words(one, f"nlu_trigger of {self.what}", "nlu_trigger")
            intent = one.get("intent")
            if isinstance(intent, Table):
                self._check_threshold(intent)
                intent = intent.get("name")
            if isinstance(intent, str):
                yield intent
            else:
                self.reading.wrong(line, f"nlu_trigger of {self.what} names no intent")

    def _check_threshold(self, intent: Table) -> None:
        what = f"intent of {self.what}"
        self.reading.words(intent, what, "trigger intent")
        threshold = self.reading.number(intent, "confidence_threshold", what)
        if threshold is not None and not 0 <= threshold <= 1:
            line = line_of(intent, "confidence_threshold")
            self.reading.wrong(line, f"confidence_threshold of {what} must be between 0 and 1")

    # --- steps: first every step gets its name, then each is built with the name of what follows it

    def _name_steps(self, items: Items) -> None:
        for place, item in enumerate(items):
            if not isinstance(item, Table):
                self.reading.wrong(line_of(items, place), f"a step of {self.what} must be a mapping")
                continue
            if id(item) in self.ids:
                self.reading.wrong(item.line, f"a step of {self.what} stands at two places by an alias")
                continue
            self._name_step(item)
            for nested in _nested(item):
                self._name_steps(nested)

    def _name_step(self, item: Table) -> None:
        written = self.reading.text(item, "id", f"a step of {self.what}")
        kind = _kind(item)
        name = (
            written
            or f"{len(self.ids)}_{kind}_{item.get(kind) if isinstance(item.get(kind), str) else ''}".rstrip(
                "_"
            )
        )
        if name in {END, START}:
            self.reading.wrong(line_of(item, "id"), f"no step may be called {name}")
        if name in self.ids.values():
            self.reading.wrong(
                line_of(item, "id"), f"{self.what} has two steps called '{name}'", "give one another id"
            )
            name = f"{name}.{len(self.ids)}"
        self.ids[id(item)] = name

    def _build(self, items: Items, last: str | None) -> None:
        """Builds a list of steps; `last` follows the last one (None inside a branch, where it must say so itself)."""
        steps = [item for item in items if isinstance(item, Table)]
        if any(self.ids[id(item)] in self.steps for item in steps):
            return  # an alias, told already
        for position, item in enumerate(steps):
            after = self.ids[id(steps[position + 1])] if position + 1 < len(steps) else last
            self._build_step(item, after)
            for nested in _nested(item):
                self._build(nested, None)

    def _build_step(self, item: Table, after: str | None) -> None:
        reading, kind, name = self.reading, _kind(item), self.ids[id(item)]
        what = f"step {name} of {self.what}"
        if not kind:
            self._tell_kinds(item, what)
            return
        reading.words(item, what, "step", *_MORE_WORDS.get(kind, []))
        self.steps[name] = Step(
            id=name,
            kind=cast(Any, kind),
            where=reading.place(item.line),
            next=self._next(item, after, kind, what),
            action=self._action(item, what),
            collect=self._named(item, "collect", what),
            utter=reading.text(item, "utter", what)
            or (f"utter_ask_{item['collect']}" if kind == "collect" else ""),
            ask_before_filling=reading.flag(item, "ask_before_filling", what),
            force_slot_filling=reading.flag(item, "force_slot_filling", what),
            rejections=read_rejections(reading, item, what),
            assignments=tuple(self._assignments(item, what)),
            flow=self._named(item, "call", what) or self._named(item, "link", what),
            metadata=self._metadata(item, what),
        )
        self._check_small_words(item, kind, what)

    def _tell_kinds(self, item: Table, what: str) -> None:
        """A step that says nothing we know, or two things."""
        for key in item:
            word = vocabulary.find(key, "step")
            if word is not None and word.standing == "refused":
                self.reading.wrong(line_of(item, key), f"{what}: '{key}' is refused: {word.meaning}")
                return
        two = " and ".join(kind for kind in _KINDS if kind in item)
        if two:
            self.reading.wrong(item.line, f"{what} is two things at once: {two}", "make two steps of it")
            return
        hint = nearest(" ".join(item), _KINDS) or f"exactly one of {', '.join(_KINDS)}"
        self.reading.wrong(item.line, f"{what} does not say what it is", hint)

    def _check_small_words(self, item: Table, kind: str, what: str) -> None:
        """Words that decide nothing here must still be what the format says."""
        self.reading.text(item, "description", what)
        self.reading.flag(item, "reset_after_flow_ends", what)
        self._keep_slots(item)
        if kind == "noop" and item["noop"] is not True:
            self.reading.wrong(line_of(item, "noop"), f"noop of {what} must be true")

    def _metadata(self, item: Table, what: str) -> dict[str, Any]:
        metadata = dict(self.reading.table(item, "metadata", what))
        seconds = self.reading.number(item, "silence_timeout", what)
        if seconds is not None and seconds <= 0:
            line = line_of(item, "silence_timeout")
            self.reading.wrong(line, f"silence_timeout of {what} must be seconds above 0")
        return metadata if seconds is None else {**metadata, "silence_timeout": seconds}

    def _action(self, item: Table, what: str) -> str:
        name = self._named(item, "action", what)
        if "{{" in name and not self.name.startswith(PATTERN):
            line = line_of(item, "action")
            self.reading.wrong(line, f"{what}: an action has a name of its own, not '{name}'")
        return name

    def _named(self, item: Table, key: str, what: str) -> str:
        if key not in item:
            return ""
        name = self.reading.text(item, key, what)
        if not name:
            self.reading.wrong(line_of(item, key), f"{what} names nothing under {key}")
        return name

    def _next(self, item: Table, after: str | None, kind: str, what: str) -> tuple[Branch, ...]:
        value = item.get("next")
        if kind == "link":
            if value not in (None, END):
                self.reading.wrong(line_of(item, "next"), f"{what}: nothing comes after a link")
            return (Branch(None, END),)
        if isinstance(value, str):
            return (Branch(None, value),)
        if isinstance(value, Items):
            return self._branches(value, what)
        if value is not None:
            self.reading.wrong(
                line_of(item, "next"), f"next of {what} must be a step, END, or a list of if/then and else"
            )
        elif kind == "noop":
            self.reading.wrong(item.line, f"{what} leads nowhere", "a noop needs next")
        elif after is None:
            self.reading.wrong(
                item.line, f"{what} ends a branch without saying where it leads", "add next: END"
            )
        return (Branch(None, after or END),)

    def _branches(self, items: Items, what: str) -> tuple[Branch, ...]:
        branches = [self._branch(item, what) for item in items if isinstance(item, Table)]
        if len(branches) != len(items):
            self.reading.wrong(items.line, f"every branch of {what} must be if/then or else")
        if not branches or branches[-1].condition is not None:
            self.reading.wrong(items.line, f"the last branch of {what} is not else", "add - else: END")
            branches.append(Branch(None, END))
        if any(branch.condition is None for branch in branches[:-1]):
            self.reading.wrong(items.line, f"{what} has branches after else that are never taken")
        return tuple(branches)

    def _branch(self, item: Table, what: str) -> Branch:
        if "else" in item:
            self.reading.words(item, f"else of {what}", "branch")
            self.reading.keys(item, {"else"}, f"else of {what}")  # an else with an if is neither
            return Branch(None, self._target(item, "else", what))
        self.reading.words(item, f"branch of {what}", "branch")
        if "if" not in item:
            self.reading.wrong(item.line, f"a branch of {what} has neither if nor else")
            return Branch(always(False), END)
        return Branch(self.reading.condition(item, "if", what), self._target(item, "then", what))

    def _target(self, item: Table, key: str, what: str) -> str:
        value = item.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, Items) and value and isinstance(value[0], Table):
            return self.ids[id(value[0])]
        self.reading.wrong(line_of(item, key), f"{key} of {what} must be a step, END, or a list of steps")
        return END

    def _assignments(self, item: Table, what: str) -> Iterator[tuple[str, Any]]:
        items = self.reading.items(item, "set_slots", what)
        for place, value in enumerate(items):
            one = self.reading.as_table(value, line_of(items, place), f"set_slots of {what}")
            yield from one.items()
        if "set_slots" in item and not item["set_slots"]:
            self.reading.wrong(line_of(item, "set_slots"), f"{what} sets nothing")

    def _keep_slots(self, item: Table) -> None:
        """A collect may say reset_after_flow_ends: false (the older way of writing persisted_slots)."""
        if item.get("reset_after_flow_ends") is False and isinstance(item.get("collect"), str):
            self.kept.append(item["collect"])

    def _check_targets(self) -> None:
        for step in self.steps.values():
            for branch in step.next:
                if branch.target != END and branch.target not in {*self.steps, *self.ids.values()}:
                    self.reading.wrong(
                        step.where.line,
                        f"step {step.id} of {self.what} leads to '{branch.target}', which is no step",
                        nearest(branch.target, self.steps),
                    )


def read_rejections(reading: Reading, holder: Table, what: str) -> tuple[Rejection, ...]:
    """The `rejections:` of a collect or of a slot's validation."""
    found = []
    items = reading.items(holder, "rejections", what)
    for place, value in enumerate(items):
        one = reading.as_table(value, line_of(items, place), f"a rejection of {what}")
        reading.words(one, f"a rejection of {what}", "rejection")
        utter = reading.text(one, "utter", f"a rejection of {what}")
        if not utter:
            reading.wrong(one.line, f"a rejection of {what} says nothing", "add utter: utter_…")
        found.append(Rejection(reading.condition(one, "if", what), utter))
    return tuple(found)


def _kind(item: Table) -> str:
    """What a step does; "" when it says nothing or two things."""
    kinds = [kind for kind in _KINDS if kind in item]
    return kinds[0] if len(kinds) == 1 else ""


def _nested(item: Table) -> Iterator[Items]:
    """The step lists inside the branches of a step."""
    branches = item.get("next")
    for branch in branches if isinstance(branches, Items) else ():
        for key in ("then", "else"):
            if isinstance(branch, Table) and isinstance(branch.get(key), Items):
                yield branch[key]
