"""A talk file is read as it lies on disk; what cannot be read is named by file and line, and hides nothing else."""

from __future__ import annotations

from pathlib import Path

from dialogues.testing.reading import read
from tests.testing.talks import written

OPEN = Path(__file__).parents[1] / "scenarios" / "open.md"

TWO = """
    # A page

    ```yaml
    - id: A
      persona: mei
      steps: [{say: hello}]
    ```
    Words between.
    ```yaml
    id: B
    persona: mei
    steps:
      - say: hello
      - expect: {saids: x, asks: nonsense}
    ```
"""


def test_open_scripts_are_all_there_with_their_world() -> None:
    book = read(OPEN)
    assert not book.mistakes
    assert len(book.scripts) == 38
    assert [s.id for s in book.scripts if s.unknown] == []
    assert book.scripts[0].town is not None
    assert "limin" in book.scripts[0].town["people"]


def test_open_scripts_name_no_source_files() -> None:
    for page in OPEN.parent.glob("*.md"):
        assert ".txt" not in page.read_text("utf-8")


def test_a_page_gives_the_scripts_of_every_block_and_the_place_of_a_mistake(tmp_path: Path) -> None:
    book = read(written(tmp_path, TWO, "page.md"))
    assert [s.id for s in book.scripts] == ["A"]
    assert book.scripts[0].where.line == 4
    assert [(m.where.line, m.message) for m in book.mistakes] == [
        (
            14,
            "asks must be one of account, name_check, amount, confirm, choice, consent, code, open, not 'nonsense'",
        )
    ]


def test_windows_line_ends_do_not_move_the_lines(tmp_path: Path) -> None:
    file = written(tmp_path, TWO, "page.md")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert read(file).mistakes[0].where.line == 14


def test_broken_yaml_in_one_block_leaves_the_others(tmp_path: Path) -> None:
    text = TWO.replace("id: B", "id: [B")
    book = read(written(tmp_path, text, "page.md"))
    assert [s.id for s in book.scripts] == ["A"]
    assert book.mistakes[0].where.line in range(10, 15)
    assert book.mistakes[0].message.startswith("not YAML")


def test_a_key_written_twice_is_a_mistake(tmp_path: Path) -> None:
    book = read(written(tmp_path, "id: A\npersona: mei\nsteps: []\npersona: bo\n"))
    assert "not YAML" in book.mistakes[0].message


def test_one_script_a_list_and_several_documents(tmp_path: Path) -> None:
    one = "{id: %s, persona: mei, steps: []}"
    assert [s.id for s in read(written(tmp_path, one % "A")).scripts] == ["A"]
    assert [s.id for s in read(written(tmp_path, f"- {one % 'A'}\n- {one % 'B'}")).scripts] == ["A", "B"]
    assert [s.id for s in read(written(tmp_path, f"{one % 'A'}\n---\n{one % 'B'}")).scripts] == ["A", "B"]


def test_a_world_belongs_to_all_scripts_of_its_file_and_there_is_one(tmp_path: Path) -> None:
    text = "- {id: A, persona: mei, steps: []}\n---\nworld: {people: {mei: {name: 朱莉}}}\n"
    book = read(written(tmp_path, text))
    assert book.scripts[0].town == {"people": {"mei": {"name": "朱莉"}}}
    again = read(written(tmp_path, text + "---\nworld: {people: {}}\n"))
    assert [m.message for m in again.mistakes] == ["a second world: a file holds at most one"]


def test_an_id_stands_once(tmp_path: Path) -> None:
    one = "- {id: A, persona: mei, steps: []}\n"
    assert "stands already" in read(written(tmp_path, one + one)).mistakes[0].message


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    assert "cannot be read" in read(tmp_path / "absent.md").mistakes[0].message
    assert read(written(tmp_path, "only words", "page.md")).mistakes[0].message == "no script in it"
