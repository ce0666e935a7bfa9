"""The small shop of bills with one fault written into its files."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from dialogues import loader
from dialogues.explore import Report, Violation, explore
from dialogues.model import ActionSpec, Release
from tests.dialogues.talking import ACTIONS, FIXTURES


@dataclass
class Shop:
    """A copy of the shop's files, to be spoilt."""

    folder: Path

    @classmethod
    def copied(cls, into: Path) -> Shop:
        for name in ("domain.yml", "flows.yml"):
            shutil.copy(FIXTURES / name, into / name)
        shutil.copytree(FIXTURES / "responses", into / "responses")
        return cls(into)

    def change(self, file: str, old: str, new: str) -> Shop:
        """Every place where `old` stands; it must stand somewhere, or the fault would not be there."""
        path = self.folder / file
        text = path.read_text("utf-8")
        assert old in text, f"{old!r} does not stand in {file}"
        path.write_text(text.replace(old, new), "utf-8")
        return self

    def add_flow(self, written: str) -> Shop:
        """One more flow at the end of the file."""
        path = self.folder / "flows.yml"
        path.write_text(path.read_text("utf-8") + written, "utf-8")
        return self

    def say(self, response: str, *, languages: tuple[str, ...] = ("zh", "en")) -> Shop:
        """Words for a response."""
        for language in languages:
            path = self.folder / "responses" / f"{language}.yml"
            path.write_text(f'{path.read_text("utf-8")}  {response}:\n    - text: "…"\n', "utf-8")
        return self

    def release(self, *more: ActionSpec) -> Release:
        actions = {**ACTIONS, **{spec.name: spec for spec in more}}
        files = [self.folder / "domain.yml", self.folder / "flows.yml"]
        return loader.load([*files, *sorted((self.folder / "responses").glob("*.yml"))], actions)

    def explored(self, flow: str, *more: ActionSpec, depth: int = 1) -> Report:
        return explore(self.release(*more), [flow], depth=depth)


def first(report: Report, law: str) -> Violation:
    """The nearest violation, which must be of this law."""
    assert report.violations, report.line
    found = [violation for violation in report.violations if violation.law == law]
    assert found, "\n".join(map(str, report.violations))
    return found[0]


def does(violation: Violation) -> list[str]:
    """What happens in the conversation that shows it."""
    return [line.does for line in violation.conversation]
