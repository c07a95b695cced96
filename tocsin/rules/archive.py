"""Rules as files in a zip: for export and for Terraform (siem.md §2.29)."""

import io
import zipfile
from collections.abc import Iterable

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip can hold: the same rules give the same bytes."""

_UNSAFE = '/\\:*?"<>|'


def zip_of(files: Iterable[tuple[str, str, str]]) -> bytes:
    """A zip of `(name, suffix, text)`; names that are taken already get a number."""
    taken: set[str] = set()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, suffix, text in files:
            path = _free(_safe(name), suffix, taken)
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), text.encode(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _safe(name: str) -> str:
    """A file name that stays in the directory where the zip is opened, whatever the rule is called."""
    kept = "".join("_" if c in _UNSAFE or not c.isprintable() else c for c in name).strip(". ")
    return kept[:100] or "rule"


def _free(name: str, suffix: str, taken: set[str]) -> str:
    path, number = f"{name}{suffix}", 2
    while path.casefold() in taken:
        path, number = f"{name} ({number}){suffix}", number + 1
    taken.add(path.casefold())
    return path
