"""Modules that were compiled ahead of time stand in for their sources (decision 0194).

`scripts/compile.py` makes machine code of the modules that every event passes through. It is a cache as `__pycache__`
is: it counts for as long as the sources are the ones that it was made of, and without it all is interpreted, with the
same results.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
"""Of the checkout; names of sources are relative to it."""

LIBRARIES = ROOT / "build" / "compiled"
MANIFEST = LIBRARIES / "manifest.json"

SETTING = "TOCSIN_COMPILED"
"""`0` in the environment: everything is interpreted."""


class _Finder(MetaPathFinder):
    """Finds modules by name among files, which `libraries` names relative to `LIBRARIES`."""

    def __init__(self, libraries: Mapping[str, str]) -> None:
        self._libraries = libraries

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        library = self._libraries.get(fullname)
        return None if library is None else spec_from_file_location(fullname, LIBRARIES / library)


def digest(source: Path) -> str:
    """What tells one content of a source from another."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def is_used() -> bool:
    """Whether this process runs compiled modules."""
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def current() -> dict[str, str] | None:
    """The libraries by the names of their modules, if there are any of these sources for this interpreter."""
    try:
        manifest = json.loads(MANIFEST.read_bytes())
        if manifest["interpreter"] != sys.implementation.cache_tag:
            return None
        if any(digest(ROOT / source) != known for source, known in manifest["sources"].items()):
            return None
        libraries: dict[str, str] = manifest["libraries"]
    except (OSError, ValueError, KeyError):  # none were made, or they are being made
        return None
    return libraries


def prefer() -> None:
    """Take compiled modules from now on, if there are any."""
    if os.environ.get(SETTING) != "0" and not is_used() and (libraries := current()) is not None:
        sys.meta_path.insert(0, _Finder(libraries))
