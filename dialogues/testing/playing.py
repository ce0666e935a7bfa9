"""Plays files of talks against fresh worlds, one a case, and reports what became of each."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from dialogues.testing import outcome
from dialogues.testing.mutations import ASKING, MUTATIONS, cut_short, disturber, disturbs, wanderer
from dialogues.testing.needs import missing
from dialogues.testing.player import CaseFailed, Player, names
from dialogues.testing.reading import read
from dialogues.testing.report import CaseResult, Report, Status
from dialogues.testing.script import Book, Mistake, Script
from dialogues.testing.world import Unsupported, World, WorldFactory

Progress = Callable[[CaseResult], None]
_SUFFIXES = {".yml", ".yaml", ".md"}
_CASE_SECONDS = 60.0  # a talk that stands still is a failure, not a wait


async def play(
    files: Iterable[Path | str],
    world_factory: WorldFactory,
    only: Iterable[str] | None = None,
    mutations: Sequence[str] = (),
    progress: Progress | None = None,
) -> Report:
    """Plays every case of these files and folders (or only those ids), each also mutated as asked.

    progress(case) is called after each case. Nothing in a file stops the others: what cannot be read is a failed case
    named FILE:LINE. Raises ValueError for a mutation that does not exist.
    """
    if wrong := set(mutations) - set(MUTATIONS):
        raise ValueError(f"no mutation is called {sorted(wrong)[0]!r}; there are {', '.join(MUTATIONS)}")
    library = Library.of(files)
    wanted = list(only or ()) or None
    results: list[CaseResult] = []
    for unreadable in library.unreadable(wanted):
        _done(unreadable, results, progress)
    for script in library.chosen(wanted):
        for result in await play_case(script, world_factory, library.scripts, mutations):
            _done(result, results, progress)
    return Report(tuple(results))


def _done(result: CaseResult, results: list[CaseResult], progress: Progress | None) -> None:
    results.append(result)
    if progress is not None:
        progress(result)


# --- which cases ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Library:
    """All scripts of the files at hand, by id; `history` and `mandate: ID` are looked up here."""

    books: tuple[Book, ...]
    scripts: Mapping[str, Script] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Iterable[Path | str]) -> Library:
        books = tuple(read(path) for path in _paths(files))
        scripts: dict[str, Script] = {}
        for book in books:
            for script in book.scripts:
                scripts.setdefault(script.id, script)
        return cls(books, scripts)

    def chosen(self, only: Iterable[str] | None) -> Iterator[Script]:
        wanted = None if only is None else set(only)
        for book in self.books:
            for script in book.scripts:
                if wanted is None or script.id in wanted:
                    yield script

    def unreadable(self, only: Iterable[str] | None) -> list[CaseResult]:
        """What cannot be played at all, as failed cases: mistakes in files, and wanted ids that stand nowhere."""
        lost = [] if only is None else [name for name in only if name not in self.scripts]
        mistakes = [m for b in self.books for m in b.mistakes] if only is None or lost else []
        return [_mistaken(m) for m in mistakes] + [
            CaseResult(name, "failed", "no such case") for name in lost
        ]


def _mistaken(mistake: Mistake) -> CaseResult:
    place = f"{Path(mistake.where.file).name}:{mistake.where.line}"
    return CaseResult(place, "failed", str(mistake))


def _paths(files: Iterable[Path | str]) -> Iterator[Path]:
    for file in map(Path, files):
        if not file.is_dir():
            yield file
            continue
        for inside in sorted(file.rglob("*")):
            if inside.suffix.lower() in _SUFFIXES and _holds_talks(inside):
                yield inside


def _holds_talks(path: Path) -> bool:
    """Of a folder: not shared fixtures, and not a page that only explains. A file named by itself is always read."""
    if path.suffix.lower() == ".md":
        return "\n```yaml" in path.read_text("utf-8", errors="replace")
    return path.stem != "conftest"


# --- one case ------------------------------------------------------------------------------------------------------------


async def play_case(
    script: Script,
    world_factory: WorldFactory,
    library: Mapping[str, Script] | None = None,
    mutations: Sequence[str] = (),
) -> list[CaseResult]:
    """The plain run, then each mutation as a case of its own, ID+MUTATION.

    A talk that fails or is unsupported as it is cannot show what a mutation does to it: its mutated cases share its fate.
    """
    books = {script.id: script, **(library or {})}
    moneys: list[Mapping[str, Any]] = []
    plain = await _timed(script.id, partial(_plain, script, world_factory, books, moneys))
    results = [plain]
    for mutation in mutations:
        name = f"{script.id}+{mutation}"
        if plain.status != "passed":
            results.append(replace(plain, id=name, detail=f"as the plain run: {plain.detail}", seconds=0.0))
        elif not disturbs(mutation, _with_earlier(script, books)):
            results.append(
                replace(plain, id=name, detail="as the plain run: nothing to disturb", seconds=0.0)
            )
        elif mutation in ASKING:
            results.append(await _timed(name, partial(_asking, script, world_factory, books, mutation)))
        else:
            results.append(
                await _timed(name, partial(_disturbed, script, world_factory, books, mutation, moneys))
            )
    return results


async def _timed(name: str, run: Callable[[], Awaitable[tuple[str, ...]]]) -> CaseResult:
    """Whatever happens becomes a result: a case never takes the others with it."""
    began = time.perf_counter()
    status: Status = "passed"
    detail = ""
    left_out: tuple[str, ...] = ()
    try:
        async with asyncio.timeout(_CASE_SECONDS):
            left_out = await run()
    except Unsupported as lacking:
        status, detail = "unsupported", lacking.key
    except CaseFailed as wrong:
        status, detail = "failed", str(wrong)
    except TimeoutError:
        status, detail = "failed", f"stands still: not finished after {_CASE_SECONDS:.0f} seconds"
    except Exception as broken:
        status, detail = "failed", _broken(broken)
    return CaseResult(name, status, detail, left_out, time.perf_counter() - began)


def _broken(problem: Exception) -> str:
    """What broke and where, without the values in its frames."""
    frames = traceback.extract_tb(problem.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(problem).__name__}: {problem}{place}"


async def _plain(
    script: Script, factory: WorldFactory, books: Mapping[str, Script], moneys: list[Mapping[str, Any]]
) -> tuple[str, ...]:
    """As written; once for each order in which a race may be run."""
    left_out: tuple[str, ...] = ()
    for seed in range(int(script.given.get("interleavings", 1))):
        player = await _perform(script, factory, books, seed=seed)
        moneys.append(outcome.money(player.moment))
        left_out = (*player.left_out, *sorted(player.unknown))
    return left_out


async def _disturbed(
    script: Script,
    factory: WorldFactory,
    books: Mapping[str, Script],
    mutation: str,
    moneys: Sequence[Mapping[str, Any]],
) -> tuple[str, ...]:
    how = {"after": disturber(mutation), "wanderer": wanderer(mutation)}
    player = await _perform(script, factory, books, judged=False, **how)
    if found := outcome.differences(moneys[0], outcome.money(player.moment)):
        raise CaseFailed("moves other money: " + "; ".join(found))
    return (*player.left_out, *sorted(player.unknown))


async def _asking(
    script: Script, factory: WorldFactory, books: Mapping[str, Script], mutation: str
) -> tuple[str, ...]:
    left_out: tuple[str, ...] = ()
    for shorter in cut_short(script, mutation):
        player = await _perform(shorter, factory, books, judged=False)
        left_out = (*player.left_out, *sorted(player.unknown))
    return left_out


async def _perform(script: Script, factory: WorldFactory, books: Mapping[str, Script], **how: Any) -> Player:
    """One performance in a fresh world that is closed whatever happens."""
    world: World = factory()
    try:
        lacking, left_out = _missing(script, world, books)
        if lacking:
            raise Unsupported(", ".join(lacking))
        player = Player(script, world, books, left_out, **how)
        await player.play()
        return player
    finally:
        await world.close()


def _with_earlier(script: Script, books: Mapping[str, Script]) -> list[Script]:
    """The talk and those that went before it."""
    earlier = [books[name] for name in names(script.given.get("history")) if name in books]
    return [script, *(one for book in earlier for one in _with_earlier(book, books))]


def _missing(
    script: Script, world: World, books: Mapping[str, Script]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the script and the talks before it need and this world lacks."""
    lacking, left_out = missing(script, world.supports)
    for name in script.given.get("history", ()) if isinstance(script.given.get("history"), list) else ():
        if (earlier := books.get(name)) is not None and earlier is not script:
            lacking += missing(replace(earlier, then={}), world.supports)[0]
    return tuple(dict.fromkeys(lacking)), left_out
