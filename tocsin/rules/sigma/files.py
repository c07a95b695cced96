"""Sigma rules where people keep them: a file, a directory, an archive as SigmaHQ publishes it."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tocsin.errors import BadRequest

SUFFIXES = (".yml", ".yaml")

MAX_FILE_BYTES = 4_000_000
"""Of one rule file: far above any; an archive must not fill the memory."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """`path` is inside the archive or directory; `text` is decoded leniently: a bad byte must not lose the rule."""

    path: str
    text: str


def read_files(place: Path) -> Iterator[SourceFile]:
    """Rule files and licence texts of a file, a directory (with all below it), a tar or a zip archive, by path.

    Raises `BadRequest` for what is none of these, or not whole.
    """
    try:
        yield from _files(place)
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, RuntimeError) as error:
        raise BadRequest(f"{place} is no whole archive: {error}") from error


def _files(place: Path) -> Iterator[SourceFile]:
    if place.is_dir():
        files = (path for path in place.rglob("*") if path.is_file() and _is_wanted(path.name))
        for path in sorted(files):
            yield SourceFile(path.relative_to(place).as_posix(), _text(path.read_bytes()))
    elif not place.is_file():
        raise BadRequest(f"{place} is not there")
    elif zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                if _is_wanted(member.filename) and member.file_size <= MAX_FILE_BYTES:
                    yield SourceFile(member.filename, _text(archive.read(member)))
    elif place.suffix not in SUFFIXES and tarfile.is_tarfile(place):
        with tarfile.open(place) as tar:
            for entry in sorted(tar.getmembers(), key=lambda entry: entry.name):
                content = tar.extractfile(entry) if _is_wanted(entry.name) and entry.size <= MAX_FILE_BYTES else None
                if content is not None:
                    yield SourceFile(entry.name, _text(content.read()))
    elif _is_wanted(place.name):
        yield SourceFile(place.name, _text(place.read_bytes()))
    else:
        raise BadRequest(f"{place} is neither a rule file ({', '.join(SUFFIXES)}) nor a tar or zip archive")


def is_rule_file(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in SUFFIXES


def is_licence(path: str) -> bool:
    return PurePosixPath(path).name.upper().startswith(("LICENSE", "LICENCE"))


def _is_wanted(name: str) -> bool:
    hidden = any(part.startswith(".") and part not in (".", "..") for part in PurePosixPath(name).parts)
    return not hidden and (is_rule_file(name) or is_licence(name))


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", "replace")
