"""Secrets that Tocsin itself must use again (passwords of feeds): encrypted at rest, never shown (decision 0104).

The key is the setting `secret_key`; without it, one is made at the first use and kept in the data directory, readable
for its owner only. A copy of the state store alone tells nobody a secret.
"""

import base64
import contextlib
import hashlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from tocsin.errors import TocsinError

FILE = "secret.key"


class LostKey(TocsinError):
    """A secret was encrypted with another key."""


class Vault:
    """Encrypts and decrypts (AES-128-CBC with HMAC-SHA256: Fernet)."""

    def __init__(self, directory: Path, key: str = "") -> None:
        """`key` is any text, the setting `secret_key`; empty: the key in `directory`, made when it is first needed."""
        self._file = directory / FILE
        self._given = key

    def encrypt(self, secret: str) -> str:
        return self._fernet().encrypt(secret.encode()).decode("ascii")

    def decrypt(self, token: str) -> str:
        """Raises `LostKey`."""
        try:
            return self._fernet().decrypt(token.encode("ascii", "replace")).decode()
        except InvalidToken:
            where = "the setting secret_key" if self._given else str(self._file)
            raise LostKey(
                f"a stored secret was encrypted with another key than {where} holds; "
                "set TOCSIN_SECRET_KEY to the same value for all processes, or enter the secret again"
            ) from None

    def _fernet(self) -> Fernet:
        if self._given:
            return Fernet(base64.urlsafe_b64encode(hashlib.sha256(self._given.encode()).digest()))
        if not self._file.is_file():
            self._make()
        return Fernet(self._file.read_bytes().strip())

    def _make(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_suffix(f".{os.getpid()}.tmp")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its key holds
            os.link(beside, self._file)
        beside.unlink()
