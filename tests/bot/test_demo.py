"""The demo begins afresh every time, and never at the cost of somebody's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo import fresh_folder


def test_a_folder_of_the_demo_is_emptied(tmp_path: Path) -> None:
    folder = fresh_folder(tmp_path / "demo")
    (folder / "bangjiao.db").write_text("old")
    assert not (fresh_folder(folder) / "bangjiao.db").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(SystemExit, match="not the demo's"):
        fresh_folder(tmp_path)
    assert (tmp_path / "letters.txt").read_text() == "dear"


def test_serving_without_a_secret_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from bot.cli import app

    monkeypatch.delenv("BANGJIAO_SECRET", raising=False)
    result = CliRunner().invoke(app, ["worker"])
    assert result.exit_code != 0
    assert "BANGJIAO_SECRET" in str(result.exception) + result.output
