"""Whether what was sent since the last human step is what the script expects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dialogues.testing.compare import holds
from dialogues.testing.moment import Moment, joined, replies
from dialogues.testing.script import Expect
from dialogues.testing.world import Sent


def complaints(expect: Expect, moment: Moment, left_out: Sequence[str] = ()) -> list[str]:
    """What is not as expected, one sentence each. Rendering keys in `left_out` are not looked at."""
    person = expect.to or moment.persona
    heard = [s for s in moment.heard(person) if expect.channel in (None, s.channel)]
    found = [*_words(expect, heard), *_manner(expect, heard, moment.heard_before(person))]
    if expect.channel is not None and not heard:
        found.append(f"nothing was sent to {person} on {expect.channel}")
    if expect.asks is not None and (asks := asked(heard, moment, person)) != expect.asks:
        found.append(f"asks {asks or 'nothing'}, expected {expect.asks}")
    found += _rendering(expect, heard, left_out)
    if found:
        found.append(f"{person} heard: {_quoted(heard)}")
    return found


def asked(heard: Sequence[Sent], moment: Moment, person: str) -> str | None:
    """What is waited for now: what the last reply asks; if it asks nothing, an earlier question that still stands, or "open".

    None when nothing was sent, or when something is waited for that no message of these asked.
    """
    if not heard:
        return None
    if questions := [s.asks for s in replies(heard)[-1] if s.asks is not None]:
        return questions[-1]
    talk = moment.facts.talks.get(person)
    waiting = (talk.waits_for if talk else None) or "open"
    return waiting if waiting == "open" or any(s.asks == waiting for s in heard) else None


def _words(expect: Expect, heard: Sequence[Sent]) -> Iterator[str]:
    text = joined(heard)
    for pattern in expect.says:
        if not re.search(pattern, text, re.DOTALL):
            yield f"does not say /{pattern}/"
    for pattern in expect.not_says:
        if match := re.search(pattern, text, re.DOTALL):
            yield f"must not say /{pattern}/ but says {match[0]!r}"
    if expect.max_chars is not None:
        for reply in replies(heard):
            if (length := len(joined(reply))) > expect.max_chars:
                yield f"{length} characters in one reply, at most {expect.max_chars} expected"


def _manner(expect: Expect, heard: Sequence[Sent], before: Sequence[Sent]) -> Iterator[str]:
    if expect.slower is not None and _slower(heard, before) != expect.slower:
        yield "not slower than before" if expect.slower else "slower than before"
    if expect.ends is not None and any(s.ends for s in heard) != expect.ends:
        yield "the talk is not over" if expect.ends else "the talk is over"
    if expect.bot_silent is not None and (not any(s.speaker == "bot" for s in heard)) != expect.bot_silent:
        yield "the bot speaks" if expect.bot_silent else "the bot is silent"
    if expect.not_repeat_exactly and (same := {s.text for s in heard} & {s.text for s in before}):
        yield f"said word for word before: {min(same)!r}"


def _slower(heard: Sequence[Sent], before: Sequence[Sent]) -> bool:
    usual = before[-1].rate if before else 1.0
    return bool(heard) and any(s.rate < usual for s in heard)


def _rendering(expect: Expect, heard: Sequence[Sent], left_out: Sequence[str]) -> Iterator[str]:
    notes = expect.voice_note is not None and "expect.voice_note" not in left_out
    if notes and any(s.voice_note for s in heard) != expect.voice_note:
        yield "no voice note" if expect.voice_note else "a voice note"
    if expect.image is not None and "expect.image" not in left_out:
        cards = [s.image for s in heard if s.image is not None]
        if not any(_card_is(expect.image, card) for card in cards):
            yield f"no card as expected ({expect.image}); cards sent: {len(cards)}"


def _card_is(wanted: Any, card: Mapping[str, Any]) -> bool:
    """`true`: any card. min_font_px is a minimum, has_text: all of it is on the card; the rest must match."""
    if not isinstance(wanted, dict):
        return bool(wanted)
    return all(_card_has(key, value, card) for key, value in wanted.items())


def _card_has(key: str, value: Any, card: Mapping[str, Any]) -> bool:
    if key == "min_font_px":
        return bool((card.get(key) or 0) >= value)
    if key == "has_text":
        return all(piece in str(card.get("text", "")) for piece in value)
    return holds(value, card.get(key))


def _quoted(heard: Sequence[Sent]) -> str:
    return " | ".join(f"{s.text!r} ({s.asks or '-'})" for s in heard) or "nothing"
