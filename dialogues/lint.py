"""What must hold of all flows before anybody talks to them: proofs about the files, not samples of talks.

Every finding names file and line. What the loader already refuses (unknown keys, steps, slots and conditions that cannot be
decided) never comes here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialogues import digit_entry, predicate, responses, slots
from dialogues.commit import ACTION, OUTCOMES, is_commit
from dialogues.flowfile import END
from dialogues.lint_domain import lint_domain
from dialogues.lint_responses import lint_responses
from dialogues.model import Flow, Release, Step, Variation, Where
from dialogues.moment import HUMAN
from dialogues.outcomes import asked_for
from dialogues.problems import FlowError, nearest
from dialogues.questions import ASK_CODE, ASK_CONTINUE, DOUBT, GO_ON, KEYS

ASKS = frozenset({"account", "name_check", "amount", "confirm", "choice", "consent", "code", "open"})
_METADATA = frozenset(
    {
        "asks",
        "dtmf",
        "choices",
        "choices_from",
        "explain",
        "sensitive",
        "parts",
        "optional",
        "commit",
        "silence_timeout",
    }
)
_COMMIT_KEYS = frozenset({"act", "reads_back", "utter", "frozen_after_submit"})
_DTMF_KEYS = frozenset({"min", "max", "finish", "lengths"})
# What the engine itself says, in every talk.
ENGINE_SAYS = (
    "utter_greet",
    "utter_bye",
    "utter_bye_pending",
    "utter_not_understood",
    "utter_not_understood_open",
    "utter_not_understood_open_keys",
    "utter_not_offered",
    "utter_which_flow",
    "utter_no_explanation",
    "utter_trouble",
    "utter_working",
    "utter_too_many",
    "utter_stopped",
    "utter_stopped_in_flight",
    "utter_flow_cancelled",
    "utter_nothing_to_cancel",
    "utter_nothing_to_correct",
    "utter_nothing_to_confirm",
    "utter_cannot_skip",
    "utter_already_sent",
    ASK_CONTINUE,
    ASK_CONTINUE + KEYS,
    "utter_silence_comfort",
    "utter_silence_keys",
    "utter_bigger",
    "utter_renewed",
    "utter_business_gone",
    "utter_business_gone_below",
)
ENGINE_SAYS_AT_COMMIT = (
    ASK_CODE,
    ASK_CODE + KEYS,
    "utter_press_key",
    "utter_code_wrong",
    "utter_code_blocked",
    "utter_code_expired",
    "utter_approval_needed",
)


def lint(release: Release) -> list[FlowError]:
    """Every rule that does not hold, in the order of the files."""
    found = [
        *(error for flow in release.flows.values() for error in _flow(release, flow)),
        *_whole(release),
        *lint_domain(release),
        *lint_responses(release),
    ]
    return sorted(found, key=lambda error: (error.where.file, error.where.line))


# --- the release as a whole --------------------------------------------------------------------------------------


def _whole(release: Release) -> Iterator[FlowError]:
    nowhere = next((flow.where for flow in release.flows.values()), Where("", 0))
    if HUMAN not in release.flows:
        yield FlowError(
            nowhere, f"there is no flow {HUMAN}", "from every state a person must be reached in one turn"
        )
    commits = any(is_commit(step) for flow in release.flows.values() for step in flow.steps.values())
    parts = any(digit_entry.in_parts(step) for flow in release.flows.values() for step in flow.steps.values())
    wanted = [*ENGINE_SAYS, *(ENGINE_SAYS_AT_COMMIT if commits else ()), *((GO_ON, DOUBT) if parts else ())]
    for name in wanted:
        if not responses.exists(release, name):
            yield FlowError(nowhere, f"the engine says {name}, and nobody wrote it")
    if parts and digit_entry.NOTED not in release.actions:
        yield FlowError(nowhere, f"digits come in parts, and there is no action {digit_entry.NOTED}")
    for flow in release.flows.values():
        if flow.id in _called_from(release, flow.id):
            yield FlowError(flow.where, f"flow {flow.id} calls itself, directly or through others")


def _called_from(release: Release, name: str) -> set[str]:
    """Every flow that is called, directly or not, from this one."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        flow = release.flows.get(waiting.pop())
        called = {step.flow for step in flow.steps.values() if step.kind == "call"} - found if flow else set()
        found |= called
        waiting += called
    return found


# --- one flow ----------------------------------------------------------------------------------------------------


def _flow(release: Release, flow: Flow) -> Iterator[FlowError]:
    if flow.intents:
        for locale in release.responses:
            if locale not in flow.name:
                yield FlowError(
                    flow.where,
                    f"flow {flow.id} has no name in '{locale}'",
                    "people are asked about it by name",
                )
    for slot in flow.persisted:
        if slot not in release.slots:
            yield FlowError(
                flow.where, f"flow {flow.id} keeps '{slot}', which is no slot", nearest(slot, release.slots)
            )
    reached = _reachable(flow)
    for step in flow.steps.values():
        if step.id not in reached:
            yield FlowError(step.where, f"step {step.id} of flow {flow.id} is never reached")
        yield from _step(release, flow, step)
    yield from _circles(flow)


def _reachable(flow: Flow) -> set[str]:
    return {flow.first} | _after(flow, flow.first)


def _after(flow: Flow, start: str) -> set[str]:
    """Every step that can come after this one."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        step = flow.steps.get(waiting.pop())
        new = {branch.target for branch in step.next} - found - {END} if step else set()
        found |= new
        waiting += new
    return found


def _circles(flow: Flow) -> Iterator[FlowError]:
    """Steps that lead back to themselves without ever listening or asking anybody anything."""
    silent = {step.id for step in flow.steps.values() if _runs_on(step)}
    for step in flow.steps.values():
        if step.id in silent and _comes_back(flow, step.id, silent):
            yield FlowError(
                step.where, f"step {step.id} of flow {flow.id} leads back to itself without asking anything"
            )


def _runs_on(step: Step) -> bool:
    return step.kind in {"noop", "set_slots"} or step.action.startswith("utter_")


def _comes_back(flow: Flow, start: str, within: set[str]) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for branch in flow.steps[waiting.pop()].next:
            if branch.target == start:
                return True
            if branch.target in within and branch.target not in seen:
                seen.add(branch.target)
                waiting.append(branch.target)
    return False


# --- one step ----------------------------------------------------------------------------------------------------


def _step(release: Release, flow: Flow, step: Step) -> Iterator[FlowError]:
    what = f"step {step.id} of flow {flow.id}"
    for key in step.metadata:
        if key not in _METADATA:
            yield FlowError(step.where, f"{what}: metadata knows no '{key}'", nearest(key, _METADATA))
    if is_commit(step):
        yield from _commit(release, step, what)
    elif step.kind == "action":
        yield from _action(release, step, what)
    if step.kind == "collect":
        yield from _collect(release, step, what)
    yield from _explanations(release, step, what)
    for name in _said_at(release, step):
        yield from _sayable(release, flow, step, name, what)


def _action(release: Release, step: Step, what: str) -> Iterator[FlowError]:
    if step.action.startswith("utter_"):
        return
    spec = release.actions.get(step.action)
    if spec is None:
        yield FlowError(
            step.where, f"{what}: there is no action {step.action}", nearest(step.action, release.actions)
        )
        return
    for slot in (*spec.reads, *spec.writes):
        if slot not in release.slots:
            yield FlowError(
                step.where,
                f"{what}: {step.action} uses '{slot}', which is no slot",
                nearest(slot, release.slots),
            )
    yield from _outcomes(step, spec.outcomes, what)


def _outcomes(step: Step, declared: tuple[str, ...], what: str) -> Iterator[FlowError]:
    for wanted in asked_for(step):
        if wanted not in declared:
            hint = nearest(wanted, declared) or f"it promises {', '.join(declared)}"
            yield FlowError(step.where, f"{what}: {step.action} never comes out as '{wanted}'", hint)


def _commit(release: Release, step: Step, what: str) -> Iterator[FlowError]:
    commit = step.metadata.get("commit")
    if not isinstance(commit, Mapping):
        yield FlowError(
            step.where, f"{what} moves money without saying which", "add metadata: {commit: {act: …}}"
        )
        return
    for key in commit:
        if key not in _COMMIT_KEYS:
            yield FlowError(step.where, f"{what}: commit knows no '{key}'", nearest(key, _COMMIT_KEYS))
    if not commit.get("act"):
        yield FlowError(step.where, f"{what}: commit names no act")
    if not commit.get("reads_back"):
        yield FlowError(
            step.where, f"{what} reads nothing back", "reads_back: [account_id, holder, amount, method]"
        )
    for slot in commit.get("reads_back") or ():
        if slot not in release.slots:
            yield FlowError(
                step.where, f"{what} reads back '{slot}', which is no slot", nearest(str(slot), release.slots)
            )
    utter = str(commit.get("utter") or "")
    if not utter:
        yield FlowError(step.where, f"{what} has no read-back", "add utter: utter_confirm_…")
    else:
        yield from _has_keys(release, step, utter, what)
    yield from _outcomes(step, OUTCOMES, what)


def _collect(release: Release, step: Step, what: str) -> Iterator[FlowError]:
    asks = step.metadata.get("asks")
    if asks not in ASKS:
        yield FlowError(
            step.where, f"{what} does not say what it asks", f"metadata: {{asks: {' | '.join(sorted(ASKS))}}}"
        )
    slot = release.slots.get(step.collect)
    keyed = any(step.metadata.get(key) for key in ("dtmf", "choices", "choices_from"))
    if not keyed and (slot is None or slot.type != "bool"):
        yield FlowError(step.where, f"{what} cannot be answered by keys", "add dtmf, choices or choices_from")
    yield from _has_keys(release, step, step.utter, what)
    yield from _keypad(step, what)
    yield from _choices(release, step, what)
    for rejection in step.rejections:
        if not responses.exists(release, rejection.utter):
            yield _unwritten(release, step, rejection.utter, what)


def _keypad(step: Step, what: str) -> Iterator[FlowError]:
    keys = step.metadata.get("dtmf")
    if keys is None:
        return
    if not isinstance(keys, Mapping) or not keys.keys() <= _DTMF_KEYS:
        yield FlowError(step.where, f"{what}: dtmf is {{min, max, finish, lengths}}")
    elif not 1 <= int(keys.get("min", 1)) <= int(keys.get("max", 20)):
        yield FlowError(step.where, f"{what}: dtmf min and max do not fit each other")


def _choices(release: Release, step: Step, what: str) -> Iterator[FlowError]:
    source = step.metadata.get("choices_from")
    if source is not None and source not in release.slots:
        yield FlowError(
            step.where,
            f"{what} takes its choices from '{source}', which is no slot",
            nearest(str(source), release.slots),
        )
    choices = step.metadata.get("choices")
    if not isinstance(choices, Mapping):
        return
    slot = release.slots.get(step.collect)
    for value, words in choices.items():
        if slot is not None and not slots.usable(slot, slots.from_choice(slot, str(value))):
            yield FlowError(step.where, f"{what}: '{value}' cannot stand in slot {slot.name}")
        missing = [
            locale for locale in release.responses if isinstance(words, Mapping) and not words.get(locale)
        ]
        if missing:
            yield FlowError(step.where, f"{what}: choice '{value}' has no words in {', '.join(missing)}")
    keyed = [str(words["key"]) for words in choices.values() if isinstance(words, Mapping) and "key" in words]
    if len(keyed) > 3:
        yield FlowError(
            step.where, f"{what} offers {len(keyed)} keys", "nobody keeps more than three in mind"
        )
    if len(set(keyed)) < len(keyed):
        yield FlowError(step.where, f"{what} gives one key to two choices")


def _explanations(release: Release, step: Step, what: str) -> Iterator[FlowError]:
    for topic, target in dict(step.metadata.get("explain") or {}).items():
        if topic not in {"why", "how"}:
            yield FlowError(step.where, f"{what} explains '{topic}'", "people ask why and how")
        flow = target.get("flow") if isinstance(target, Mapping) else None
        if flow is not None and flow not in release.flows:
            yield FlowError(
                step.where,
                f"{what} explains by flow '{flow}', which does not exist",
                nearest(str(flow), release.flows),
            )
        if flow is None and not responses.exists(release, str(target)):
            yield _unwritten(release, step, str(target), what)


def _has_keys(release: Release, step: Step, utter: str, what: str) -> Iterator[FlowError]:
    if not responses.exists(release, utter):
        yield _unwritten(release, step, utter, what)
    elif not responses.exists(release, utter + KEYS):
        yield FlowError(
            step.where,
            f"{what} has no other way of asking: {utter + KEYS}",
            "shorter, by keys and buttons (L10)",
        )


def _unwritten(release: Release, step: Step, name: str, what: str) -> FlowError:
    return FlowError(
        step.where, f"{what} says {name}, and nobody wrote it", nearest(name, release.responses.get("zh", {}))
    )


# --- what a step says, and whether its values can be there -----------------------------------------------------------


def _said_at(release: Release, step: Step) -> Iterator[str]:
    if step.action.startswith("utter_"):
        yield step.action
    if step.kind == "collect":
        yield step.utter
    if is_commit(step) and isinstance(step.metadata.get("commit"), Mapping):
        yield str(step.metadata["commit"].get("utter") or "")


def _sayable(release: Release, flow: Flow, step: Step, name: str, what: str) -> Iterator[FlowError]:
    """A sentence is written, its values can have been filled before, and what it claims of money can be held against a row."""
    if not responses.exists(release, name):
        if step.kind == "action" and step.action != ACTION:
            yield _unwritten(release, step, name, what)
        return
    filled = _filled_before(release, flow, step)
    for locale, sentences in release.responses.items():
        for variation in sentences.get(name, ()):
            for missing in sorted(_never_filled(release, variation, filled)):
                yield FlowError(
                    step.where, f"{what} says {name} ({locale}), but nothing before it fills {{{missing}}}"
                )
            if variation.metadata.get("claims") and filled is not None and "payment" not in filled:
                yield FlowError(
                    step.where,
                    f"{what} says {name}, which claims something about money where there is no payment",
                )


def _never_filled(release: Release, variation: Variation, filled: set[str] | None) -> set[str]:
    """Slots a variation speaks of that cannot have a value; what its own condition asks about is its own affair."""
    if filled is None:
        return set()
    asked = (
        {path.name for path in predicate.paths(variation.condition)}
        if variation.condition is not None
        else set()
    )
    spoken = {name for name in responses.variation_names(variation) if name in release.slots}
    return (
        spoken - asked - filled - {name for name, slot in release.slots.items() if slot.initial is not None}
    )


def _filled_before(release: Release, flow: Flow, step: Step) -> set[str] | None:
    """Every slot that can hold a value when a step is reached; None when the flow begins with facts from outside."""
    users = [f for f in release.flows.values() if any(s.flow == flow.id for s in f.steps.values())]
    if not users and not flow.intents:
        return None  # begun by news, with the facts the till gives it
    found = {
        slot
        for one in flow.steps.values()
        if step.id in _after(flow, one.id)
        for slot in _fills(release, one)
    }
    if is_commit(step):
        found |= {str(slot) for slot in step.metadata.get("commit", {}).get("reads_back", ())}
    for user in users:
        if user.id != flow.id:
            found |= {slot for one in user.steps.values() for slot in _fills(release, one)} | slots.used_by(
                release, user
            )
    return found | _given_by_wishes(release)


def _fills(release: Release, step: Step) -> set[str]:
    """The slots a step can fill. A commit's outcome comes with everything the till tells of the payment."""
    spec = release.actions.get(step.action)
    called = release.flows.get(step.flow) if step.kind == "call" else None
    found = {step.collect} if step.collect else set()
    found |= {slot for slot, value in step.assignments if value is not None}
    found |= set(spec.writes) if spec else set()
    found |= set(slots.used_by(release, called)) if called else set()
    return found | (set(release.slots) if is_commit(step) else set())


def _given_by_wishes(release: Release) -> set[str]:
    """Slots another flow keeps when it ends: a wish may find them filled."""
    return {slot for flow in release.flows.values() for slot in flow.persisted}


__all__ = ["ASKS", "ENGINE_SAYS", "ENGINE_SAYS_AT_COMMIT", "FlowError", "lint"]
