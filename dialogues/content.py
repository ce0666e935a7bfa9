"""What a release says, as one text: the same for the same flows and sentences however their files are written.

A release is named by the hash of this text, and the text is what the store keeps of it. Comments, white space, the order of
files and of the keys in a mapping are not in it; whatever a person could notice is, and so is what its actions promise.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dialogues import predicate
from dialogues.model import (
    ActionSpec,
    Branch,
    ButtonSpec,
    Filling,
    Flow,
    Rejection,
    Release,
    Session,
    Slot,
    Step,
    Variation,
    Where,
)
from dialogues.wire import Kinds, NotOurs

# Counted up when the engine comes to mean something else by the same words: what was written before is then gone.
_FORM = 1
_LONGEST = 64_000_000  # bytes of a content; ours has a million
_NOWHERE = {"where": Where("", 0)}
_KINDS = Kinds(
    {
        kind.__name__: kind
        for kind in (
            *(ActionSpec, Branch, ButtonSpec, Filling, Flow, Rejection, Session, Slot, Step, Variation),
            *(predicate.Both, predicate.Compare, predicate.Either, predicate.Literal, predicate.Not),
            *(predicate.Path, predicate.Predicate),
        )
    },
    dict.fromkeys(("Flow", "Slot", "Step", "Variation"), _NOWHERE) | {"Predicate": {"text": ""}},
)


def named(release: Release) -> Release:
    """The same release under the name of its content, which it carries along."""
    text = content(release)
    return replace(release, id=_name(text), packed=zlib.compress(text.encode()))


def content(release: Release) -> str:
    """All that a release says."""
    said = {
        "form": _FORM,
        "flows": release.flows,
        "slots": release.slots,
        "responses": release.responses,
        "actions": {name: promise(release.actions[name]) for name in _relied_on(release)},
        "session": release.session,
    }
    return json.dumps(_KINDS.plain(said), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def promise(spec: ActionSpec) -> ActionSpec:
    """What flows rely on of an action: its outcomes, and the slots it reads and writes."""
    return ActionSpec(
        spec.name, tuple(sorted(spec.outcomes)), tuple(sorted(spec.reads)), tuple(sorted(spec.writes))
    )


def opened(name: str, packed: bytes) -> Release:
    """The release of a content that was kept, its actions only as promised. Raises NotOurs for anything else."""
    text = _unpacked(packed)
    if _name(text) != name:
        raise NotOurs("the content is not what its name says")
    if not isinstance(said := _KINDS.loaded(text), dict) or said.get("form") != _FORM:
        raise NotOurs("the content is of another form")
    return Release(
        name,
        {flow: _flow(one) for flow, one in said["flows"].items()},
        said["slots"],
        {locale: _sentences(found) for locale, found in said["responses"].items()},
        said["actions"],
        said["session"],
        packed,
    )


def in_order(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same by name: what stands where in a file decides nothing."""
    return dict(sorted(values.items()))


def _name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _relied_on(release: Release) -> list[str]:
    """The actions the flows name, as far as they are Python."""
    named_by = {step.action for flow in release.flows.values() for step in flow.steps.values()}
    return sorted(named_by & release.actions.keys())


def _unpacked(packed: bytes) -> str:
    try:
        opener = zlib.decompressobj()
        text = opener.decompress(packed, _LONGEST).decode()
    except (zlib.error, UnicodeDecodeError):
        raise NotOurs("the content is not readable") from None
    if opener.unconsumed_tail or not opener.eof:
        raise NotOurs("the content is longer than any of ours")
    return text


def _flow(flow: Flow) -> Flow:
    return replace(flow, steps={name: _step(step) for name, step in flow.steps.items()})


def _step(step: Step) -> Step:
    return replace(step, assignments=tuple((slot, value) for slot, value in step.assignments))


def _sentences(found: Mapping[str, Any]) -> dict[str, tuple[Variation, ...]]:
    return {name: tuple(variations) for name, variations in found.items()}
