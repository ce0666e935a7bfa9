"""Moving the store from one version of its tables to the next, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from data.store.schema import metadata

_LOCK = 0x6D696772  # several processes may start at once: one moves the tables, the others wait


def upgrade(conn: sa.Connection, revision: str = "head") -> None:
    """Up to a revision, inside the transaction of `conn`."""
    _hold(conn)
    command.upgrade(config(conn), revision)


def downgrade(conn: sa.Connection, revision: str = "base") -> None:
    """Down to a revision, inside the transaction of `conn`. What the newer tables held is gone."""
    _hold(conn)
    command.downgrade(config(conn), revision)


def differences(conn: sa.Connection) -> list[Any]:
    """What the tables as written in the program have that the database has not, and the other way round."""
    context = MigrationContext.configure(conn, opts={"compare_type": True, "target_metadata": metadata})
    return list(compare_metadata(context, metadata))


def write_revision(message: str) -> None:
    """Writes the next version file from what the program's tables have and the last version has not.

    Read it and correct it before it is used, and set `HEAD` in data.store.migrations.
    """
    with sa.create_engine("sqlite://").begin() as conn:
        upgrade(conn)
        made = config(conn)
        made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        command.revision(made, message, autogenerate=True, rev_id=_following(newest()))


def newest() -> str | None:
    """The last revision among the migration files."""
    return ScriptDirectory.from_config(config()).get_current_head()


def config(conn: sa.Connection | None = None) -> Config:
    """Alembic's settings without a file, so that they travel inside the package."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = conn
    return made


def _following(revision: str | None) -> str:
    return f"r{int((revision or 'r0').removeprefix('r')) + 1:04d}"


def _hold(conn: sa.Connection) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


if __name__ == "__main__":
    write_revision(" ".join(sys.argv[1:]))
