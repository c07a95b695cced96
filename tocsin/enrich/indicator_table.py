"""All indicators in one compact file: written once, then opened by every process that enriches (decision 0102).

Keys are loaded into dictionaries, results stay in the file, which is mapped into memory and so shared by all
processes; they are read only for what was found. Layout: eight bytes of magic, the length of the index (8 bytes, little
endian), the index (JSON), then one JSON list of results for each key.

The index holds `keys` (type -> values) and `rows` (type -> the rows of these), `networks` (`4`, `6` -> prefix length ->
networks as hexadecimal numbers) and `network_rows`, `exact` (domains whose subdomains are other people's), and the
`offsets` of the rows.
"""

import contextlib
import mmap
import os
import socket
from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from tocsin.enrich.domains import is_public_suffix
from tocsin.enrich.indicators import Indicator
from tocsin.errors import TocsinError
from tocsin.fitting import fitted
from tocsin.remembering import remembered

MAGIC = b"TOCSIND1"

RESULTS = 50
"""Results on one event (siem.md §6.3), and so the most that a key needs."""

REMEMBERED = 65_536
"""Values whose look-up is remembered: they repeat."""

Rows = tuple[int, ...]


class BadTable(TocsinError):
    """The file of indicators is missing or damaged."""


def write_table(path: Path, indicators: Iterable[Indicator]) -> int:
    """Write the file anew, or not at all; returns how many different keys it holds. Equal rows count once."""
    found: dict[tuple[str, str], list[bytes]] = {}
    for indicator in indicators:
        rows = found.setdefault((indicator.type, indicator.value), [])
        if len(rows) < RESULTS and (line := fitted(orjson.dumps(indicator.result()))) not in rows:
            rows.append(line)
    keys: dict[str, list[str]] = {}
    rows_of: dict[str, list[int]] = {}
    networks: dict[str, dict[str, list[str]]] = {"4": {}, "6": {}}
    network_rows: dict[tuple[str, str], list[int]] = {}
    exact: list[str] = []
    content: list[bytes] = []
    offsets = array("Q", [0])
    for (kind, value), rows in found.items():
        if kind == "ip_address" and "/" in value:
            address, _, length = value.partition("/")
            version = "6" if ":" in address else "4"
            networks[version].setdefault(length, []).append(f"{number_of(address):x}")
            network_rows.setdefault((version, length), []).append(len(content))
        else:
            keys.setdefault(kind, []).append(value)
            rows_of.setdefault(kind, []).append(len(content))
            if kind == "domain" and is_public_suffix(value, private=True):
                exact.append(value)
        content.append(b"[" + b",".join(rows) + b"]")
        offsets.append(offsets[-1] + len(content[-1]))
    numbers = {version: {length: network_rows[version, length] for length in networks[version]} for version in networks}
    index = {"keys": keys, "rows": rows_of, "networks": networks, "network_rows": numbers, "exact": exact}
    head = orjson.dumps(index | {"offsets": offsets.tolist()})
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    with beside.open("wb") as file:
        file.write(MAGIC + len(head).to_bytes(8, "little") + head)
        file.writelines(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return len(content)


class IndicatorTable:
    """The open file. Safe to use from several threads; `open_table` gives each process one for each file."""

    def __init__(self, path: Path) -> None:
        """Raises `BadTable`."""
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise BadTable(f"cannot open the indicators in {path}: {error}") from error
        size = int.from_bytes(self._map[8:16], "little")
        try:
            if self._map[:8] != MAGIC:
                raise ValueError("it is no file of indicators")
            index: dict[str, Any] = orjson.loads(self._map[16 : 16 + size])
            self._start = 16 + size
            self._offsets = array("Q", index["offsets"])
            if len(self._map) != self._start + self._offsets[-1]:
                raise ValueError("it ends too early")
        except (ValueError, KeyError) as error:
            raise BadTable(f"the file of indicators {path} is damaged: {error}") from error
        self._keys: dict[str, dict[str, int]] = {
            kind: dict(zip(values, index["rows"][kind], strict=True)) for kind, values in index["keys"].items()
        }
        self._networks = {
            int(version): [
                (
                    (32 if version == "4" else 128) - int(length),
                    _numbered(values, index["network_rows"][version][length], int(length), int(version)),
                )
                for length, values in sorted(lengths.items(), key=lambda item: -int(item[0]))
            ]
            for version, lengths in index["networks"].items()
        }
        self._exact = frozenset(index["exact"])
        self.address = remembered(REMEMBERED)(self._address)
        self.domain = remembered(REMEMBERED)(self._domain)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def has(self, kind: str) -> bool:
        """Whether there is any indicator of a type."""
        return kind in self._keys or (kind == "ip_address" and any(self._networks.values()))

    def value(self, kind: str, value: str) -> Rows:
        """The row of a value in its canonical form, if it is an indicator of this type."""
        row = self._keys.get(kind, _NONE).get(value)
        return () if row is None else (row,)

    def _address(self, text: str) -> Rows:
        """Rows of an address: its own, and those of all networks that hold it, narrow ones first."""
        found = list(self.value("ip_address", text))
        try:
            number = number_of(text)
        except OSError:
            return tuple(found)
        for shift, networks in self._networks[6 if ":" in text else 4]:
            row = networks.get(number >> shift)
            if row is not None:
                found.append(row)
        return tuple(found)

    def _domain(self, name: str) -> Rows:
        """Rows of a domain (lower case) and of its parents down to the registrable one (siem.md §6.2)."""
        domains = self._keys.get("domain", _NONE)
        row = domains.get(name)
        found = [] if row is None else [row]
        parent = name
        while (dot := parent.find(".")) >= 0:
            parent = parent[dot + 1 :]
            row = domains.get(parent)
            if row is not None and parent not in self._exact:
                found.append(row)
        return tuple(found)

    def results(self, row: int) -> list[dict[str, Any]]:
        """What the feeds say about one key; new objects."""
        start, end = self._start + self._offsets[row], self._start + self._offsets[row + 1]
        found: list[dict[str, Any]] = orjson.loads(self._map[start:end])
        return found

    def close(self) -> None:
        with contextlib.suppress(BufferError):
            self._map.close()


_NONE: Mapping[str, int] = {}


def number_of(address: str) -> int:
    """An IPv4 or IPv6 address as a number; a fifth of the time of `ipaddress`. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return int.from_bytes(socket.inet_pton(family, address), "big")


def _numbered(values: Sequence[str], rows: Sequence[int], length: int, version: int) -> dict[int, int]:
    shift = (32 if version == 4 else 128) - length
    return {int(value, 16) >> shift: row for value, row in zip(values, rows, strict=True)}


@lru_cache(maxsize=2)
def open_table(path: Path) -> IndicatorTable:
    """The table in a file whose content never changes; opened once for each process, so that rules may change often."""
    return IndicatorTable(path)
