"""How every table is written down: naming of constraints, column types that SQLite and PostgreSQL both keep."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC instant on both databases (SQLite itself forgets the zone)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored instant needs its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        if value is None:
            return None
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Auto-increment needs INTEGER on SQLite and is too short there for nothing.
RowNumber = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Sealed = sa.LargeBinary  # made and opened by data.store.sealing, bound to table, column and row
BlindIndex = sa.LargeBinary(16)


def one_of(name: str, values: list[str]) -> sa.Enum:
    """A closed list kept as text with a check constraint."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)
