"""How an account number lies in the drawer: sealed to its own place, and found again without opening it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_KEY = 32
_SHORTEST = 16
_FIRST_MARK = 1


class BrokenSeal(Exception):
    """What is stored was not sealed for this place by a key we hold: changed, moved, or the key is missing."""


class Sealer:
    """Seals texts with AES-256-GCM, bound to table, column and row; the first byte names the key.

    The binding keeps a value from being moved to another row or column. The index key is separate from the data
    keys, so that finding is not opening. The stamp key is a third one: it outlives a change of the others, because what
    it signed (chains, hashed PINs) cannot be signed anew. No key appears in a repr.
    """

    def __init__(
        self,
        keys: Mapping[int, bytes],
        current: int,
        index_key: bytes,
        *,
        index_before: Sequence[bytes] = (),
        stamp_key: bytes | None = None,
    ) -> None:
        """`keys` by id 0-255, 32 bytes each; `current` seals, the others still open. Raises ValueError.

        `index_before`: index keys by which older rows are still found. Without a `stamp_key` the index key stamps.
        """
        if current not in keys:
            raise ValueError("the current key is not among the keys")
        if any(not 0 <= key_id <= 255 or len(key) != _KEY for key_id, key in keys.items()):
            raise ValueError("a key has an id of 0-255 and 32 bytes")
        if any(len(key) < _KEY for key in (index_key, *index_before, stamp_key or index_key)):
            raise ValueError("an index or stamp key has at least 32 bytes")
        self._locks = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._keys = dict(keys)
        self._current = current
        self._index_key = index_key
        self._index_before = tuple(index_before)
        self._stamp_key = stamp_key or index_key

    @classmethod
    def from_secret(cls, secret: str, before: str = "") -> Sealer:
        """All keys from one secret of at least 16 characters (one household, one machine). Raises ValueError.

        `before` is the secret used until now, while everything is being sealed anew: it opens, finds and stamps, and
        seals nothing.
        """
        if any(len(given) < _SHORTEST for given in (secret, *([before] if before else []))):
            raise ValueError("the secret is too short to keep anything safe")
        own, oldest = _key_id(secret), before or secret
        if before and _key_id(before) == own:
            raise ValueError("choose another new secret: by chance this one bears the mark of the one before")
        keys = {own: _derived(secret, b"seal 1"), _key_id(oldest): _derived(oldest, b"seal 1")}
        # Before secrets could be changed every row bore the mark 1.
        keys[_FIRST_MARK] = _derived(oldest, b"seal 1")
        return cls(
            keys,
            own,
            _derived(secret, b"index 1"),
            index_before=[_derived(before, b"index 1")] if before else [],
            stamp_key=_derived(oldest, b"index 1"),
        )

    def with_stamp_key(self, key: bytes) -> Sealer:
        """The same with another stamp key: the one that was kept when the secret changed. Raises ValueError."""
        return Sealer(
            self._keys, self._current, self._index_key, index_before=self._index_before, stamp_key=key
        )

    @property
    def stamp_key(self) -> bytes:
        """What the chains are signed with. For the keyring only, which keeps it sealed."""
        return self._stamp_key

    @property
    def mark(self) -> bytes:
        """The first byte of everything sealed now."""
        return bytes([self._current])

    @classmethod
    def from_keys(cls, keys: str, index_key: str) -> Sealer:
        """From settings: `2:KEY,1:KEY` with the newest first, each urlsafe base64. Raises ValueError."""
        pairs = [part.strip().partition(":") for part in keys.split(",")]
        by_id = {int(key_id): base64.urlsafe_b64decode(key) for key_id, _, key in pairs}
        return cls(by_id, int(pairs[0][0]), base64.urlsafe_b64decode(index_key))

    def __repr__(self) -> str:
        return f"Sealer(current={self._current})"

    def seal(self, place: str, row: str, text: str) -> bytes:
        """The text, sealed for one row of one `table.column`."""
        nonce = os.urandom(_NONCE)
        locked = self._locks[self._current].encrypt(nonce, text.encode(), _binding(place, row))
        return bytes([self._current]) + nonce + locked

    def open(self, place: str, row: str, sealed: bytes) -> str:
        """The text again. Raises BrokenSeal, whose message holds the place and nothing of the text."""
        lock = self._locks.get(sealed[0]) if sealed else None
        if lock is None:
            raise BrokenSeal(f"{place}: sealed with a key that is not here")
        try:
            opened = lock.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _binding(place, row))
        except (InvalidTag, ValueError):
            raise BrokenSeal(f"{place}: not sealed for this row") from None
        return opened.decode()

    def is_stale(self, sealed: bytes) -> bool:
        """Whether it was sealed with an older key and should be sealed again."""
        return sealed[:1] != self.mark

    def blind(self, place: str, *parts: str) -> bytes:
        """16 bytes that are equal for equal parts: finds a sealed value, tells nothing about it."""
        return _mac(self._index_key, b"blind", place, *parts)[:16]

    def older(self, place: str, *parts: str) -> list[bytes]:
        """What `blind` gave under the keys before, while the secret is being changed; [] at all other times."""
        return [_mac(key, b"blind", place, *parts)[:16] for key in self._index_before]

    def blinds(self, place: str, *parts: str) -> list[bytes]:
        """All by which a row may be found, the present one first."""
        return [self.blind(place, *parts), *self.older(place, *parts)]

    def stamp(self, place: str, *parts: str) -> str:
        """A keyed SHA-256 in hex for chained records: who has only the database cannot make a new one."""
        return _mac(self._stamp_key, b"stamp", place, *parts).hex()


def _mac(key: bytes, use: bytes, *parts: str) -> bytes:
    # Each part carries its length: ("ab", "c") and ("a", "bc") must differ.
    message = use + b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
    return hmac.new(key, message, hashlib.sha256).digest()


def _key_id(secret: str) -> int:
    """A byte that tells one secret from another, and nothing about either; 0 and 1 are not among them."""
    return 2 + _derived(secret, b"mark")[0] % 254


def _binding(place: str, row: str) -> bytes:
    return f"{place}\0{row}".encode()


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY, salt=None, info=b"bangjiao " + purpose).derive(secret.encode())
