"""docs/format.md: the page that says what of Rasa's format is read, written from the table the readers use.

Run `python -m tests.conformance.format_page` after changing a word.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from dialogues.vocabulary import WORDS, Word

PAGE = Path(__file__).parents[2] / "docs" / "format.md"
BEGIN, END = "<!-- words: written by tests/conformance/format_page.py -->", "<!-- end of words -->"
_TITLES = {
    "file": "A file",
    "flow": "A flow",
    "slot": "A slot",
    "variation": "A sentence (one variation of a response)",
    "test file": "A file of conversation tests",
}


def tables() -> str:
    """Every word of the format, place by place."""
    parts = []
    for place, words in groupby(WORDS, key=lambda word: word.place):
        parts += [f"### {_TITLES.get(place, place.capitalize())}", "", "| word | | |", "|---|---|---|"]
        parts += [_row(word) for word in words] + [""]
    return "\n".join(parts)


def _row(word: Word) -> str:
    meaning = word.meaning.replace("|", "\\|")
    return f"| `{word.key}` | {word.standing} | {meaning} |"


def page(old: str) -> str:
    """The page with the tables as they are now."""
    head, _, rest = old.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{tables()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
