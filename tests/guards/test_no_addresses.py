"""A checkout tells nothing about the machine or the network it was made on, and stays small enough to clone anywhere."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.guards.tree import ROOT, files, read_text, texts

MEGABYTE = 1_000_000
LOCKS = ("requirements.lock", "requirements-dev.lock")

# The patterns are written so that this file does not match itself.
PACKAGE_HOSTS = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|registry\.yarnpkg|mirrors?\.[a-z0-9-]+\.(?:com|cn|edu)"
    r"|tuna\.tsinghua|artifactor[y]|/nexus/repositor[y]|devpi\.|proxy\.golang|index\.crates|deb\.debian\.org",
    re.IGNORECASE,
)
INDEX_SETTINGS = re.compile(
    r"--(?:extra-)?index-url|--default-inde[x]|--find-link[s]|--trusted-hos[t]|\[\[tool\.uv\.index\]"
    r"|\b(?:UV|PIP)_(?:DEFAULT_|EXTRA_)?INDEX(?:_URL)?\s*=|\bhttps?_proxy\s*=",
    re.IGNORECASE,
)
MACHINE_PATHS = re.compile(r"(?<![\w.:)}\]-])/(?:root|work|home/\w+|Users/\w+)/|\b[A-Z]:\\Users\\")
PRIVATE_HOSTS = re.compile(
    r"https?://(?:[^\s/@]+@|10\.\d+\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|[\w.-]+\.(?:internal|corp|lan)\b)"
)
RULES = {
    "address of a package host": PACKAGE_HOSTS,
    "setting of a package index or proxy": INDEX_SETTINGS,
    "path of one machine": MACHINE_PATHS,
    "address inside a private network": PRIVATE_HOSTS,
}
PIN = re.compile(r"^[a-z0-9][a-z0-9._-]*(?:\[[a-z0-9,_-]+\])?==[0-9][^\s;]*(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def findings(text: str) -> list[str]:
    """What a text gives away, as `line: rule`; the found words themselves stay out of the report."""
    lines = enumerate(text.splitlines(), 1)
    return [
        f"{number}: {rule}" for number, line in lines for rule, words in RULES.items() if words.search(line)
    ]


def test_no_file_holds_an_address_or_a_path_of_a_machine() -> None:
    found = {path: what for path, text in texts().items() if (what := findings(text))}
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "see https://pypi" + ".org/simple/data",
        "https://files.python" + "hosted.org/packages/x.whl",
        "https://mirrors" + ".example.cn/simple",
        "--index" + "-url https://example.org/simple",
        "export PIP_INDEX" + "_URL=https://example.org",
        "HTTPS" + "_PROXY=proxy.example.org:3128",
        'cache = "/ro' + 'ot/.cache"',
        "sys.path.insert(0, '/ho" + "me/lena/bangjiao')",
        "see /wo" + "rk/notes/plan.md",
        "C:" + "\\Users\\lena",
        "http://192" + ".168.1.4:8080/",
        "https://lena:secret" + "@example.org/",
    ],
)
def test_a_seeded_address_is_found(line: str) -> None:
    assert findings(line)


@pytest.mark.parametrize(
    "line",
    [
        "http://127.0.0.1:8000/work/",
        "tests/work/notes.md and ./home/lena/",
        "sqlite:///var/bangjiao.db",
        "/usr/bin/chromium",
        "https://example.org/bangjiao/CHANGELOG.md",
    ],
)
def test_an_innocent_line_is_left_alone(line: str) -> None:
    assert findings(line) == []


def test_no_file_holds_the_hosts_this_machine_installs_through() -> None:
    names = re.compile(r"(?:UV|PIP)_.*INDEX.*|(?:https?|all)_proxy", re.IGNORECASE)
    addresses = [value for name, value in os.environ.items() if names.fullmatch(name)]
    hosts = {urlsplit(word).hostname for value in addresses for word in value.split()} - {None}
    telling = [host for host in hosts if host and host not in {"127.0.0.1", "localhost", "::1"}]
    # A bare assertion on purpose: the hosts must not appear in a test report either.
    leaking = [path for path, text in texts().items() if any(host in text for host in telling)]
    assert leaking == []


def pinned(text: str) -> dict[str, list[str]]:
    """Name with version → its hashes. Raises ValueError at the first line that is neither a pin nor a hash."""
    pins: dict[str, list[str]] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        if PIN.match(line):
            name = line.split(" ")[0]
            pins[name] = []
        elif HASH.match(line) and name:
            pins[name].append(line.split(":")[1].split(" ")[0])
        else:
            raise ValueError(f"line {number} is neither a pin nor a hash")
    return pins


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_list_is_nothing_but_pins_with_hashes(lock: str) -> None:
    pins = pinned((ROOT / lock).read_text())
    assert pins
    assert [name for name, hashes in pins.items() if not hashes] == []


def test_a_lock_list_with_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1 is neither"):
        pinned("data @ https://example.org/data-0.4.tar.gz \\\n")


def test_the_lock_lists_agree_and_hold_every_dependency() -> None:
    running, testing = (set(pinned((ROOT / lock).read_text())) for lock in LOCKS)
    assert running <= testing
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    asked = [*project["project"]["dependencies"], *groups["build"]]
    assert _names(asked) <= _names(running)
    assert _names([*groups["dev"], *groups["browser"]]) <= _names(testing)


def test_no_file_is_over_a_megabyte() -> None:
    sizes = {path: (ROOT / path).stat().st_size for path in files()}
    assert {path: size for path, size in sizes.items() if size > MEGABYTE} == {}


def test_pictures_and_sounds_stay_under_25_megabytes_together() -> None:
    binaries = [ROOT / path for path in files() if path not in texts()]
    assert sum(path.stat().st_size for path in binaries) <= 25 * MEGABYTE


def test_a_picture_is_not_taken_for_text(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\0\0")
    assert read_text(tmp_path / "picture") is None


def _names(requirements: list[str] | set[str]) -> set[str]:
    """Distribution names in the one spelling in which they can be compared."""
    found = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", match[0]).lower() for match in found if match}
