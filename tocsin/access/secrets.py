"""Keys, tokens and what is stored of them. Random bytes come in as a function, so that tests can tell them."""

import hashlib
import hmac
import re
import uuid
from collections.abc import Callable

from tocsin.config import BadSetting

RandomBytes = Callable[[int], bytes]
"""Returns that many unpredictable bytes."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without characters that look alike."""


def new_uuid(random: RandomBytes) -> str:
    return str(uuid.UUID(bytes=random(16), version=4))


def new_api_key(random: RandomBytes) -> str:
    """32 hex digits (api.md §1)."""
    return random(16).hex()


def new_application_key(random: RandomBytes) -> str:
    """40 hex digits (api.md §1)."""
    return random(20).hex()


def new_token(random: RandomBytes) -> str:
    """A bearer secret of 256 bits: sessions, invitations."""
    return random(32).hex()


def new_password(random: RandomBytes) -> str:
    """A password to read out and type: 20 characters in groups, 99 bits."""
    text = "".join(_ALPHABET[int.from_bytes(random(8), "big") % len(_ALPHABET)] for _ in range(20))
    return "-".join(text[start : start + 5] for start in range(0, 20, 5))


def hashed(secret: str) -> str:
    """What is stored of a key or token. A plain hash is enough, since the secrets themselves are random."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def csrf_token(session_token: str) -> str:
    """The token that a page of this session sends with each change; useless with any other session."""
    return hmac.new(session_token.encode("utf-8", "replace"), b"csrf", "sha256").hexdigest()


def check_key_setting(name: str, key: str, digits: int) -> str:
    """A key given by a setting, in lower case. Raises `BadSetting` if it is not `digits` hex digits."""
    if not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", key):
        raise BadSetting(f"setting '{name}' takes {digits} hexadecimal digits")
    return key.lower()
