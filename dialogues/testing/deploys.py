"""A newer program in the middle of a talk: today's flows with what a test says is different in them.

A `deploy` step names a folder of files beside the talk, or says itself what is new:

    files    a folder of Rasa files; what they hold takes the place of what has the same name
    flows, slots, responses    the same, written in the step (responses: {LOCALE: {NAME: [...]}}); null takes one away
    actions  {NAME: null} one that is not there any more, {NAME: {outcomes: [...]}} one that promises something else
    back     true: the program before this one again
    forgotten  true: the flows of earlier programs are not to be found any more
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from dialogues import crossing, loader
from dialogues.actions.ports import Action
from dialogues.content import in_order, named
from dialogues.domainfile import Names
from dialogues.loader import Files
from dialogues.model import Release, Where
from dialogues.yamlfile import Table, parse

_NEW = ("flows", "slots", "responses", "actions")
_KEYS = {*_NEW, "files", "back", "forgotten"}


class NoDeploy(AssertionError):
    """The step cannot be done as it is written; the text says why."""


@dataclass(frozen=True, slots=True)
class Deploy:
    """What a step says. `without`: names that are taken away, of flows, slots, responses and actions."""

    tables: tuple[tuple[Path, Table], ...] = ()
    without: frozenset[str] = frozenset()
    outcomes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    back: bool = False
    forgotten: bool = False


def read(value: Any, where: Where) -> Deploy:
    """The step that stands at a place of a file. Raises NoDeploy."""
    said: Any = {"files": value} if isinstance(value, str) else value
    if not isinstance(said, Mapping) or not said or said.keys() - _KEYS:
        raise NoDeploy(f"deploy names a folder or says what is new: {', '.join(sorted(_KEYS))}")
    new = {key: dict(said.get(key) or {}) for key in _NEW}
    actions = new.pop("actions")
    gone = {name for held in (*new.values(), actions) for name, one in held.items() if one is None}
    return Deploy(
        (*_files(said.get("files"), where), *_written(new)),
        frozenset(gone),
        {name: tuple(one["outcomes"]) for name, one in actions.items() if one is not None},
        bool(said.get("back")),
        bool(said.get("forgotten")),
    )


def newer(today: Release, actions: Mapping[str, Action], deploy: Deploy) -> tuple[Release, dict[str, Action]]:
    """The flows and actions of the program that comes. Raises NoDeploy when they do not fit together."""
    files = Files()
    for path, table in deploy.tables:
        loader.read_file(path, table, files)
    promised = {name: _promising(actions[name], deploy.outcomes.get(name)) for name in actions}
    left = {name: action for name, action in promised.items() if name not in deploy.without}
    release = Release(
        "",
        _over(today.flows, files.flows, deploy),
        _over(today.slots, files.slots, deploy),
        {
            locale: _over(ours, files.responses.get(locale, {}), deploy)
            for locale, ours in today.responses.items()
        },
        {name: action.spec for name, action in left.items()},
        today.session,
    )
    mistakes = [
        *map(str, files.errors),
        *map(str, crossing.crossed(release.flows, release.slots, release.responses, Names())),
        *_without_action(release),
    ]
    if mistakes:
        raise NoDeploy("; ".join(mistakes))
    return named(release), left


def _files(folder: Any, where: Where) -> Iterator[tuple[Path, Table]]:
    if folder is None:
        return
    paths = sorted((Path(where.file).parent / str(folder)).rglob("*.yml"))
    if not paths:
        raise NoDeploy(f"there is nothing to deploy in {folder}")
    for path in paths:
        table = loader.read_content(path, Files())
        if isinstance(table, Table):
            yield path, table


def _written(new: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Path, Table]]:
    """What the step says itself, as files of ours would."""
    own = {key: _there(new[key]) for key in ("flows", "slots") if _there(new[key])}
    if own:
        yield Path("deploy.yml"), _table(own)
    for locale, sentences in new["responses"].items():
        if found := _there(sentences or {}):
            yield Path("responses") / f"{locale}.yml", _table({"responses": found})


def _there(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in held.items() if one is not None}


def _table(said: Mapping[str, Any]) -> Table:
    table = parse(yaml.safe_dump(dict(said), allow_unicode=True, sort_keys=False), "deploy")
    assert isinstance(table, Table)
    return table


def _over(today: Mapping[str, Any], new: Mapping[str, Any], deploy: Deploy) -> dict[str, Any]:
    return in_order({name: one for name, one in {**today, **new}.items() if name not in deploy.without})


def _promising(action: Action, outcomes: tuple[str, ...] | None) -> Action:
    return action if outcomes is None else replace(action, spec=replace(action.spec, outcomes=outcomes))


def _without_action(release: Release) -> Iterator[str]:
    for flow in release.flows.values():
        for step in flow.steps.values():
            own = step.kind != "action" or step.action.startswith("utter_") or "commit" in step.metadata
            if not own and step.action not in release.actions:
                yield f"step {step.id} of flow {flow.id} needs {step.action}"
