"""A talk that was left for longer than the domain allows is a new one: what was not confirmed is put away.

Without `session_config` a talk waits for ever (people come back after days and go on). Whatever the files say, money that
is on its way, an act that waits for a relative, and a person of ours who is speaking are never touched.
"""

from __future__ import annotations

from datetime import timedelta

from dialogues.business import bring_to_top, drop
from dialogues.model import Frame
from dialogues.moment import HUMAN, SENT, WAITING, Moment, with_talk


def renewed(m: Moment) -> Moment:
    """The talk as the person finds it when he says something: as he left it, or new."""
    heard_at, now = m.talk.heard_at, m.facts.now
    m = with_talk(m, heard_at=now)
    minutes = m.release.session.minutes
    if not minutes or heard_at is None or now - heard_at < timedelta(minutes=minutes):
        return m
    return m if m.talk.mode != "bot" else _new(m)


def _new(m: Moment) -> Moment:
    kept = dict(m.talk.slots) if m.release.session.carries_over else {}
    while (place := _idle(m)) is not None:
        m = drop(bring_to_top(m, place))
    m = with_talk(m, pending_wishes=(), misses=0, silences=0)
    return m if m.talk.stack else with_talk(m, slots=kept, last_said=())


def _idle(m: Moment) -> int | None:
    """Where a piece of business lies, topmost first, that nothing irrevocable hangs on."""
    stack = m.talk.stack
    places = [at for at, frame in enumerate(stack) if frame.kind != "call"]
    for number in reversed(range(len(places))):
        end = places[number + 1] if number + 1 < len(places) else len(stack)
        if not any(_lasts(frame) for frame in stack[places[number] : end]):
            return places[number]
    return None


def _lasts(frame: Frame) -> bool:
    waits = frame.phase in SENT | WAITING or bool(frame.context.get("lasting"))
    return waits or frame.flow == HUMAN


__all__ = ["renewed"]
