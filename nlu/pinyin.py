"""How words sound, with the differences dropped that recognisers and regional tongues drop: zh/z, ch/c, sh/s, n/l, -ng/-n."""

from __future__ import annotations

import os
from functools import lru_cache


@lru_cache(maxsize=8192)
def _syllable(char: str) -> str:
    # Character by character the dictionary of phrases is never asked, and it costs 44 MB and 0.1 s to load.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import lazy_pinyin  # lazily: English talks never need it

    return _folded(lazy_pinyin(char, errors="default")[0])


def _folded(sound: str) -> str:
    for retroflex, flat in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if sound.startswith(retroflex):
            sound = flat + sound[2:]
    if len(sound) > 1 and sound[0] == "n":
        sound = "l" + sound[1:]
    return sound[:-1] if sound.endswith("ng") else sound


def sounds(text: str) -> list[str]:
    """One folded syllable a Chinese character, other characters as they are, spaces left out.

    Character by character, without a dictionary of phrases: the same character always sounds the same, so a homophone
    written by a recogniser meets the word it stands for.
    """
    return [_syllable(char) for char in text if not char.isspace()]


def as_heard(spelling: str) -> str:
    """A syllable written in Latin letters (cheng, zhou), with the same differences dropped."""
    return _folded(spelling)


def sound_alike(one: str, other: str) -> bool:
    """Whether two words are the same to the ear."""
    return len(one) == len(other) and sounds(one) == sounds(other)
