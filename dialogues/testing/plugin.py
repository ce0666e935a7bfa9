"""Lets pytest collect talks: every case of a *.yml under tests/conversations is a test, played also with misbehaving technique.

Load it with `-p dialogues.testing.plugin`; a conftest.py supplies the application by the hook `pytest_world_factory`.
An unsupported case fails here: a talk that stands among our own tests is a promise. Each talk is played plain and with
all disturbances together; each disturbance by itself is played by the tests marked `prove`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dialogues.testing.mutations import DISTURBING, TOGETHER
from dialogues.testing.playing import play_case
from dialogues.testing.reading import read
from dialogues.testing.report import CaseResult
from dialogues.testing.script import Script
from dialogues.testing.world import WorldFactory

_FOLDER = "conversations"
_PROOF = "prove"


class Hooks:
    """What this plugin asks of a conftest.py."""

    @pytest.hookspec(firstresult=True)
    def pytest_world_factory(self, config: pytest.Config) -> WorldFactory | None:
        """A callable that returns a fresh World for each performance of a case."""


class TalkFailed(Exception):
    """A talk did not go as written."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "talk_mutations",
        "ways in which every talk is also disturbed (empty: none)",
        type="args",
        default=[TOGETHER],
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{_PROOF}: long proofs, among them talks disturbed in one way at a time"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix in {".yml", ".yaml"} and _FOLDER in file_path.parts and file_path.stem != "conftest":
        return TalkFile.from_parent(parent, path=file_path)
    return None


class TalkFile(pytest.File):
    """A file of talks."""

    def collect(self) -> Iterable[pytest.Item]:
        book = read(self.path)
        if book.mistakes:
            raise self.CollectError("\n".join(map(str, book.mistakes)))
        scripts = {script.id: script for script in book.scripts}
        usual = self.config.getini("talk_mutations")
        for script in book.scripts:
            yield self._item(script.id, script, scripts, usual)
            if TOGETHER in usual:
                proof = self._item(f"{script.id}+apart", script, scripts, DISTURBING)
                proof.add_marker(_PROOF)
                yield proof

    def _item(
        self, name: str, script: Script, library: dict[str, Script], mutations: Sequence[str]
    ) -> TalkItem:
        return TalkItem.from_parent(self, name=name, script=script, library=library, mutations=mutations)


class TalkItem(pytest.Item):
    """One talk, plain and disturbed."""

    def __init__(
        self, *, script: Script, library: dict[str, Script], mutations: Sequence[str], **rest: Any
    ) -> None:
        super().__init__(**rest)
        self.mutations = mutations
        self.script = script
        self.library = library

    def runtest(self) -> None:
        factory: WorldFactory | None = self.config.hook.pytest_world_factory(config=self.config)
        if factory is None:
            raise TalkFailed("no conftest.py supplies an application by the hook pytest_world_factory")
        results = asyncio.run(play_case(self.script, factory, self.library, self.mutations))
        if wrong := list(_not_kept(results)):
            raise TalkFailed("\n".join(wrong))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, TalkFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, self.script.where.line - 1, self.script.id


def _not_kept(results: Iterable[CaseResult]) -> Iterator[str]:
    """The plain run tells why; that its disturbed runs share its fate need not be said again."""
    for result in results:
        if result.status != "passed":
            yield f"{result.id}: {result.status}: {result.detail}"
            if "+" not in result.id:
                return
