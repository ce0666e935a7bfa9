"""The measured rows as a table for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Row, Spread

_HEADINGS = ("work", "median", "p99", "min–max", "peer", "ratio", "CPU ms", "reach", "met")


def table(rows: Sequence[Row], machine: dict[str, Any]) -> Table:
    """Everything measured, one line each."""
    made = Table(*_HEADINGS, title="  ".join(f"{k} {v}" for k, v in machine.items()), show_lines=True)
    for row in rows:
        made.add_row(*_cells(row))
    return made


def _cells(row: Row) -> list[str]:
    f = row.figure
    return [
        row.work, f"{_short(f.median)} {row.unit}", _short(f.p99) if f.count >= 100 else "", f"{_short(f.least)}–{_short(f.most)}", _peer(row),
        "" if row.ratio is None else f"{row.ratio:.2f}", "" if row.cpu_ms is None else _short(row.cpu_ms),
        row.reach, _met(row),
    ]  # fmt: skip


def _peer(row: Row) -> str:
    theirs: Spread | None = row.peer_figure
    return f"{row.peer}: {_short(theirs.median)} {row.unit}" if theirs else row.peer


def _met(row: Row) -> str:
    if row.met is None:
        return "—"
    return "[green]yes[/green]" if row.met else f"[red]no[/red]: {row.why}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show(rows: Sequence[Row], machine: dict[str, Any], out: Console) -> None:
    """Prints the table."""
    out.print(table(rows, machine))
    for row in rows:
        if row.more:
            out.print(
                f"{row.work}: " + ", ".join(f"{k} {_short(v)}" for k, v in row.more.items()), style="dim"
            )
