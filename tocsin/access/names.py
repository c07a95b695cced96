"""What people may be called: e-mail addresses and names, cleaned before anything is stored."""

import re
import unicodedata
import uuid

from tocsin.errors import BadRequest, NotFound

_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?")

_INVISIBLE = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of text around, and so make one name look like another."""


def clean_email(text: str) -> str:
    """The address in lower case (decision 0032: ASCII only, so that no two addresses look the same).

    Raises `BadRequest`.
    """
    email = text.strip().lower()  # lower() makes ASCII of some other letters, hence the look at the text as given
    if not text.isascii() or len(email) > 254 or not _EMAIL.fullmatch(email) or ".." in email:
        raise BadRequest("email: not an e-mail address; write it like ana@example.com, without accents or spaces")
    return email


def clean_name(text: str, what: str, *, longest: int = 256, may_be_empty: bool = False) -> str:
    """A name without surrounding space. Raises `BadRequest` if it is empty, too long or holds control characters."""
    name = unicodedata.normalize("NFC", text.strip())
    if not name and not may_be_empty:
        raise BadRequest(f"{what}: must not be empty")
    if len(name) > longest:
        raise BadRequest(f"{what}: has {len(name)} characters, at most {longest} are allowed")
    if any(unicodedata.category(character) in _INVISIBLE or character in _BIDI for character in name):
        raise BadRequest(f"{what}: holds a control character")
    return name


def check_uuid(text: str, missing: str) -> str:
    """An id from a path, in its usual form; what is no UUID does not exist (api.md §1 Ids). Raises `NotFound`."""
    try:
        found = str(uuid.UUID(text))
    except ValueError:
        raise NotFound(missing) from None
    if found != text.lower():
        raise NotFound(missing)
    return found
