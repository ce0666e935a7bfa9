"""L13: no account is read but through authority.may; only payments touches the money tables, only dialogues the talk tables."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from data.ids import AccountId, PersonId
from data.model import May
from data.store import journal
from data.store.people import accounts
from data.store.schema import metadata
from payments.authority import access
from payments.authority.access import Allowed
from payments.quoting import Trouble
from tests.guards.tree import PACKAGES, ROOT
from tests.safety.real_town import RealTown

# Which rooms may name which tables. The contracts of import-linter say the same of whole modules; here it is each table.
ROOMS = {
    "payments": ("payments",),
    "people": ("payments",),
    "talks": ("dialogues",),
}
# Test evidence and arranging for the playground, and what the page shows of a talk: the edge, which may use everything.
EDGE = "bot"


def strangers(root: Path) -> list[str]:
    """Imports of tables by rooms that may not touch them: "file: table module"."""
    found = []
    for room in sorted(set(PACKAGES) - {"data", EDGE}):
        for file in sorted((root / room).rglob("*.py")):
            for module in _imported(file):
                table = module.removeprefix("data.store.").split(".")[0]
                if module.startswith("data.store.") and room not in ROOMS.get(table, (room,)):
                    found.append(f"{file.relative_to(root)}: {module}")
    return found


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield node.module


def test_every_table_is_touched_by_its_own_room() -> None:
    assert strangers(ROOT) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("dialogues", "from data.store.payments import payments"),
        ("nlu", "import data.store.people"),
        ("voice", "from data.store import talks"),
        ("payments", "from data.store.talks import conversations as c"),
    ],
)
def test_a_stranger_is_seen(tmp_path: Path, room: str, line: str) -> None:
    (tmp_path / room).mkdir()
    (tmp_path / room / "seeded.py").write_text(f"def later():\n    {line}\n")
    assert len(strangers(tmp_path)) >= 1


def test_the_contracts_stand_in_the_project() -> None:
    """What is held on every commit (tests/guards/test_layers.py breaks each of them): nobody may take one away."""
    held = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    names = {contract["name"] for contract in held}
    assert {
        "Imports run strictly downward",
        "Only payments touches the money and people tables",
        "Only dialogues touches the talk tables",
    } <= names


def test_account_numbers_are_unsealed_in_one_file_of_the_payments() -> None:
    """The column of numbers is sealed, opened and searched by the authority's own file, and by nobody else."""
    column = re.compile(r"accounts\.(?:c\.)?number")
    naming = {
        str(file.relative_to(ROOT))
        for file in ROOT.glob("payments/**/*.py")
        if column.search(file.read_text("utf-8"))
    }
    assert naming == {"payments/authority/numbers.py"}


# --- while it runs ----------------------------------------------------------------------------------------------------


async def breaches(town: RealTown) -> list[str]:
    """Everybody asks for every bill; what was told is held against the gate, and against the record that it was read."""
    await town.open("limin")
    people = [p for p in town.world.people if town.world.people[p].person.role in ("family", "helper")]
    found = []
    for person in people:
        for account in await _known(town):
            answer = await town.app.desk.quoting.quote(person, account)
            told = not (isinstance(answer, Trouble) and answer.reason == "access_refused")
            holder = await _holder(town, account)
            if told and not await _gate(town, person, account):
                found.append(f"{person} was told of {account} past the gate")
            if told and holder != person and ("data_read", person, account) not in await _record(town):
                found.append(f"{person} read {account} and it is not on record")
            if not told and ("access_refused", person, account) not in await _record(town):
                found.append(f"{person} was refused {account} and it is not on record")
    return found


async def _known(town: RealTown) -> list[AccountId]:
    return await town.app.store.run(
        lambda tx: [AccountId(a) for a in tx.conn.scalars(sa.select(accounts.c.id))]
    )


async def _holder(town: RealTown, account: AccountId) -> str | None:
    query = sa.select(accounts.c.holder).where(accounts.c.id == account)
    return await town.app.store.run(lambda tx: tx.conn.scalar(query))


async def _gate(town: RealTown, person: PersonId, account: AccountId) -> bool:
    """What grants, saved accounts and households allow, asked of the rule in the file, not of what runs now."""
    at = town.clock.now()

    def decided(tx: Any) -> bool:
        row = tx.conn.execute(sa.select(accounts).where(accounts.c.id == account)).one()
        return DECIDE(access.standing_of(tx, person, at), May.BILLS, account, row.holder) is not None

    return await town.app.store.run(decided)


DECIDE = access.decide


async def _record(town: RealTown) -> set[tuple[str, str, str]]:
    audit = metadata.tables["audit"]
    rows = sa.select(audit.c.kind, audit.c.actor, audit.c.subject)
    return await town.app.store.run(lambda tx: {tuple(row) for row in tx.conn.execute(rows)})


async def test_nobody_is_told_past_the_gate_and_every_reading_is_on_record(town: RealTown) -> None:
    assert await breaches(town) == []
    assert await town.app.store.run(journal.verify) == []


def _the_gate_stands_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(access, "decide", lambda *_: Allowed("grant", "gra_x"))


def _nothing_is_recorded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(access, "_note", lambda *_: None)


@pytest.mark.parametrize("mistake", [_the_gate_stands_open, _nothing_is_recorded])
async def test_a_breach_is_seen(
    town: RealTown, monkeypatch: pytest.MonkeyPatch, mistake: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mistake(monkeypatch)
    assert await breaches(town) != []


async def test_a_record_that_was_changed_is_seen(town: RealTown) -> None:
    """Who reads what he may not and then mends the record breaks its chain."""
    await breaches(town)
    audit = metadata.tables["audit"]
    mended = audit.update().where(audit.c.kind == "access_refused").values(kind="data_read")
    await town.app.store.run(lambda tx: tx.conn.execute(mended))
    assert await town.app.store.run(journal.verify) != []
