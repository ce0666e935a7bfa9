"""The page of licences names everything that is installed, with the licence the package itself states."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata

from tests.guards.test_no_addresses import LOCKS, pinned
from tests.guards.tree import ROOT

ROW = re.compile(r"^\| ([a-z0-9._-]+) \|(?: [^|]+ \|)? ([^|]+) \|$", re.MULTILINE)
NOT_IN_THE_PROGRAM = re.compile(r"(?<!L)GPL|SSPL|BUSL|Elastic|Commons-Clause")
REPLACEABLE_LIBRARIES = {"psycopg", "psycopg-binary"}  # LGPL, imported unchanged


def spelt(name: str) -> str:
    """A distribution's name in the one spelling in which names can be compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock: str) -> set[str]:
    """Every distribution of a lock list."""
    return {spelt(re.split(r"\[|==", pin)[0]) for pin in pinned((ROOT / lock).read_text())}


def stated() -> dict[str, str]:
    """What the page says: distribution → licence."""
    rows = ROW.findall((ROOT / "docs" / "licences.md").read_text())
    return {spelt(name): licence for name, licence in rows if licence != "licence"}


def own_licence(name: str) -> str | None:
    """The SPDX expression a package states; None for one without, or one that only another Python would need."""
    try:
        return metadata(name)["License-Expression"] or None
    except (PackageNotFoundError, KeyError):
        return None


def unwelcome(licences: dict[str, str]) -> set[str]:
    """Parts of the running program whose licence would reach further than themselves."""
    weak = {name for name, licence in licences.items() if "LGPL" in licence} - REPLACEABLE_LIBRARIES
    return weak | {name for name, licence in licences.items() if NOT_IN_THE_PROGRAM.search(licence)}


def test_every_installed_package_is_on_the_page() -> None:
    everything = set().union(*(locked(lock) for lock in LOCKS))
    assert everything - set(stated()) == set(), "missing on the page"
    assert set(stated()) - everything == set(), "on the page, but no longer used"


def test_the_page_says_what_each_package_says() -> None:
    own = {name: licence for name in stated() if (licence := own_licence(name))}
    assert len(own) > 50
    assert {name: stated()[name] for name in own} == own


def test_the_running_program_holds_nothing_under_the_gpl() -> None:
    assert unwelcome({name: stated()[name] for name in locked("requirements.lock")}) == set()


def test_an_unwelcome_licence_would_be_found() -> None:
    seeded = {
        "espeak": "GPL-3.0-or-later",
        "server": "SSPL-1.0",
        "chardet": "LGPL-2.1",
        "psycopg": "LGPL-3.0-only",
    }
    assert unwelcome(seeded) == {"espeak", "server", "chardet"}
