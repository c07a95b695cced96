"""Passwords: rules, and argon2 hashes."""

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tocsin.errors import BadRequest

SHORTEST, LONGEST = 10, 256

AT_ONCE = 2
"""Each hash takes 64 MiB and tens of milliseconds of a core; a flood of sign-ins must wait, not fill the memory."""

_COMMON = (
    "password",
    "passw0rd",
    "qwerty",
    "letmein",
    "welcome",
    "changeme",
    "123456",
    "abcdef",
    "tocsin",
    "administrator",
)


class Passwords:
    """Hashes and checks passwords. `hasher` with lower costs makes tests fast."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = threading.Semaphore(AT_ONCE)
        self._nobody = self._hasher.hash("the password of nobody")

    def hash(self, password: str) -> str:
        """What is stored of a password that `check_rules` has let pass."""
        with self._turns:
            return self._hasher.hash(_normal(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; takes as long when there is none to compare with."""
        with self._turns:
            try:
                return self._hasher.verify(stored or self._nobody, _normal(password)) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other costs than today's."""
        return self._hasher.check_needs_rehash(stored)


def check_rules(password: str, email: str) -> None:
    """Raises `BadRequest` with what to do better. Length is what counts; classes of characters are not asked for."""
    normal = _normal(password)
    lower = normal.lower()
    if not SHORTEST <= len(normal) <= LONGEST:
        raise BadRequest(f"password: must have between {SHORTEST} and {LONGEST} characters")
    if len(set(normal)) < 5:
        raise BadRequest("password: repeats too few characters")
    rest = lower
    for common in (*_COMMON, *[part for part in (email, *email.split("@")) if len(part) > 3]):
        rest = rest.replace(common, "")
    if len(rest) < SHORTEST - 4:
        raise BadRequest(
            "password: is built on a common word or the e-mail address; choose something less easy to guess"
        )


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
