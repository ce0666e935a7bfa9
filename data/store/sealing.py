"""How an account number lies in the drawer: sealed to its own place, and found again without opening it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_KEY = 32


class BrokenSeal(Exception):
    """What is stored was not sealed for this place by a key we hold: changed, moved, or the key is missing."""


class Sealer:
    """Seals texts with AES-256-GCM, bound to table, column and row; the first byte names the key.

    The binding keeps a value from being moved to another row or column. The index key is separate from the data
    keys, so that finding is not opening. No key appears in a repr.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int, index_key: bytes) -> None:
        """`keys` by id 0-255, 32 bytes each; `current` seals, the others still open. Raises ValueError."""
        if current not in keys:
            raise ValueError("the current key is not among the keys")
        if any(not 0 <= key_id <= 255 or len(key) != _KEY for key_id, key in keys.items()):
            raise ValueError("a key has an id of 0-255 and 32 bytes")
        if len(index_key) < _KEY:
            raise ValueError("the index key has at least 32 bytes")
        self._locks = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = current
        self._index_key = index_key

    @classmethod
    def from_secret(cls, secret: str) -> Sealer:
        """Both keys from one secret of at least 16 characters (one household, one machine). Raises ValueError."""
        if len(secret) < 16:
            raise ValueError("the secret is too short to keep anything safe")
        return cls({1: _derived(secret, b"seal 1")}, 1, _derived(secret, b"index 1"))

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
        return sealed[:1] != bytes([self._current])

    def blind(self, place: str, *parts: str) -> bytes:
        """16 bytes that are equal for equal parts: finds a sealed value, tells nothing about it."""
        return self._mac(b"blind", place, *parts)[:16]

    def stamp(self, place: str, *parts: str) -> str:
        """A keyed SHA-256 in hex for chained records: who has only the database cannot make a new one."""
        return self._mac(b"stamp", place, *parts).hex()

    def _mac(self, use: bytes, *parts: str) -> bytes:
        # Each part carries its length: ("ab", "c") and ("a", "bc") must differ.
        message = use + b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
        return hmac.new(self._index_key, message, hashlib.sha256).digest()


def _binding(place: str, row: str) -> bytes:
    return f"{place}\0{row}".encode()


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY, salt=None, info=b"bangjiao " + purpose).derive(secret.encode())
