"""The one key that outlives a change of the secret: what signed the chains and the PINs, kept sealed under the present one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import sqlalchemy as sa

from data.store.schema import Sealed, metadata
from data.store.sealing import Sealer

if TYPE_CHECKING:
    from data.store.engine import Tx

STAMP = "stamp"
PLACE = "keyring.key"

keyring = sa.Table(
    "keyring",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("key", Sealed, nullable=False),
)


def keep(tx: Tx) -> None:
    """Seals the stamp key in use under the present secret. From then on the one before is not needed for it."""
    sealed = tx.seal.seal(PLACE, STAMP, base64.b64encode(tx.seal.stamp_key).decode())
    if not tx.put_new(keyring, id=STAMP, key=sealed):
        tx.conn.execute(sa.update(keyring).where(keyring.c.id == STAMP).values(key=sealed))


def taken_up(tx: Tx) -> Sealer:
    """The sealer with the stamp key that was kept; as it is when none was. Raises BrokenSeal."""
    sealed = tx.conn.scalar(sa.select(keyring.c.key).where(keyring.c.id == STAMP))
    if sealed is None:
        return tx.seal
    return tx.seal.with_stamp_key(base64.b64decode(tx.seal.open(PLACE, STAMP, sealed)))
