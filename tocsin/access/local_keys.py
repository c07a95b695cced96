"""The keys of this machine's command line: a file in the data directory that only its owner can read.

`tocsin up` writes it at the first start, so that commands beside it just work.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "cli.json"


@dataclass(frozen=True, slots=True)
class LocalKeys:
    url: str = ""
    api_key: str = ""
    app_key: str = ""


def save_local_keys(data: Path, keys: LocalKeys) -> None:
    """Write the file with mode 600, whole or not at all."""
    data.mkdir(parents=True, exist_ok=True)
    draft = data / f"{FILE}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(keys), file)
    draft.replace(data / FILE)


def read_local_keys(data: Path) -> LocalKeys:
    """Empty keys if there is no such file, or it is not ours to read."""
    try:
        found = json.loads((data / FILE).read_text())
        return LocalKeys(str(found["url"]), str(found["api_key"]), str(found["app_key"]))
    except (OSError, ValueError, KeyError, TypeError):
        return LocalKeys()
