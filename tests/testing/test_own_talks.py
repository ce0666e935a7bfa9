"""Our own talks can be read to the last word, before anything plays them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues.testing.reading import read

FOLDER = Path(__file__).parents[1] / "conversations"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yml")), ids=lambda file: file.name)
def test_every_talk_is_written_in_known_words(file: Path) -> None:
    book = read(file)
    assert not book.mistakes
    assert book.scripts
    assert [(s.id, s.unknown) for s in book.scripts if s.unknown] == []
