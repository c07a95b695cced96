"""Feeds as CSV, one table for each type as the specification has it (siem.md §6.2), or any whose columns are named.

    ip_address,category,intention,source,additional_data
    203.0.113.7,c2,malicious,"{""name"":""ours"",""url"":""https://example.org""}",

A file without a header, with one value on each line, is read as well: most lists of networks are so.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from tocsin.enrich.indicators import TYPES, guess_type
from tocsin.event import Json
from tocsin.threat_intel.reading import MAX_DATA, BadFeed, Reading, moment

KNOWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "indicator": ("indicator", "value", "ioc", "observable"),
    "type": ("type", "indicator_type", "ioc_type"),
    "category": ("category",),
    "intention": ("intention", "intent"),
    "source": ("source",),
    "additional_data": ("additional_data",),
    "expires_at": ("expires_at", "valid_until"),
}
"""What a column is taken for by its name, where the feed's settings do not say."""

TYPE_WORDS: Mapping[str, str] = {
    **{name: name for name in TYPES},
    **{label.lower(): name for name, label in TYPES.items()},
    **dict.fromkeys(
        ("ip", "ipv4", "ipv6", "ip-src", "ip-dst", "ipv4-addr", "ipv6-addr", "cidr", "network"), "ip_address"
    ),
    **dict.fromkeys(("hostname", "fqdn", "domain-name", "host"), "domain"),
    **dict.fromkeys(("uri",), "url"),
    **dict.fromkeys(("sha-1", "sha1sum", "hash_sha1"), "sha1"),
    **dict.fromkeys(("sha-256", "sha256sum", "hash_sha256"), "sha256"),
    **dict.fromkeys(("md5sum", "hash_md5"), "md5"),
    **dict.fromkeys(("user-agent", "useragent"), "user_agent"),
    **dict.fromkeys(("docker image", "docker_image", "container_image", "image"), "container_image_name"),
}
"""Words for a type in a column of types."""

IP_AND_PORT = ("ip_port", "ip:port", "ip-dst|port", "ip-src|port")

SNIFFED = 8_192


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns, empty where the usual ones hold; `type` is that of all rows."""

    type: str = ""
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    delimiter: str = ""


def read_csv(content: bytes, columns: Columns, reading: Reading) -> None:
    """Raises `BadFeed` when there is no column that could hold indicators."""
    text = content.decode("utf-8-sig", "replace")
    lines = (line for line in io.StringIO(text, newline="") if line.strip() and not line.startswith("#"))
    delimiter = columns.delimiter or _delimiter(text)
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        first = next(rows, None)
        if first is None:
            return
        header = _header(first, columns)
        if header is None:
            _read_list(_from(first, rows), columns, reading)
        else:
            by_name = "" if "type" in header else TYPE_WORDS.get(first[header["indicator"]].strip().lower(), "")
            _read_table(rows, header, columns.type or by_name, reading)
    except csv.Error as error:
        raise BadFeed(f"row {rows.line_num} is no CSV: {error}") from error


def _delimiter(text: str) -> str:
    first = next((line for line in text[:SNIFFED].splitlines() if line.strip() and not line.startswith("#")), "")
    return max(",;\t|", key=lambda sign: (first.count(sign), sign == ","))


def _header(first: Sequence[str], columns: Columns) -> dict[str, int] | None:
    """Which column holds what; None: the first row is one of values already."""
    names = [name.strip().lower() for name in first]
    places: dict[str, int] = {}
    for role, usual in KNOWN_COLUMNS.items():
        wanted = columns.names.get(role)
        if wanted is not None:
            if wanted.strip().lower() not in names:
                raise BadFeed(f"the feed has no column '{wanted}', but {', '.join(first[:20])}")
            places[role] = names.index(wanted.strip().lower())
        elif found := [name for name in usual if name in names]:
            places[role] = names.index(found[0])
    if "indicator" not in places:
        typed = [name for name in names if TYPE_WORDS.get(name) and name != "source"]
        if not typed:
            if len(names) == 1 or guess_type(names[0]):
                return None
            raise BadFeed(f"no column of {', '.join(first[:20])} is one of indicators; name it as 'indicator'")
        places["indicator"] = names.index(typed[0])
    return places


def _type_of(name: str) -> str:
    return TYPE_WORDS.get(name.strip().lower(), "")


def _read_table(rows: Iterator[list[str]], places: dict[str, int], of_all: str, reading: Reading) -> None:
    """`of_all`: the type of all rows, empty where each says or shows its own."""
    for number, row in enumerate(rows, start=2):
        place = f"row {number}"

        def cell(role: str, row: list[str] = row) -> str:
            at = places.get(role)
            return row[at].strip() if at is not None and at < len(row) else ""

        value = cell("indicator")
        kind = of_all
        port = ""
        if not kind and "type" in places:
            word = cell("type").lower()
            if word in IP_AND_PORT:
                kind = "ip_address"
                value, _, port = value.rpartition(":")
            else:
                kind = _type_of(word)
                if not kind:
                    reading.skip(place, f"'{word[:60]}' is no type of indicators that Tocsin knows")
                    continue
        kind = kind or guess_type(value) or ""
        if not kind:
            reading.skip(place, f"'{value[:60]}' is of no type that shows by its form")
            continue
        source_name, source_url = _source(cell("source"))
        data = _data(cell("additional_data"))
        if data is None:
            reading.skip(place, "additional_data is no JSON object, or larger than 4,096 bytes")
            continue
        expires = cell("expires_at")
        expires_at = moment(expires)
        if expires and expires_at is None:
            reading.skip(place, f"'{expires[:60]}' is no time (RFC 3339)")
            continue
        reading.add(
            place,
            kind,
            value,
            category=cell("category"),
            intention=cell("intention"),
            source_name=source_name,
            source_url=source_url,
            additional_data=data | ({"port": port} if port else {}),
            expires_at=expires_at,
        )


def _read_list(rows: Iterator[list[str]], columns: Columns, reading: Reading) -> None:
    for number, row in enumerate(rows, start=1):
        value = row[0].strip() if row else ""
        kind = columns.type or guess_type(value) or ""
        if kind:
            reading.add(f"row {number}", kind, value)
        else:
            reading.skip(f"row {number}", f"'{value[:60]}' is of no type that shows by its form")


def _from(first: list[str], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest


def _source(text: str) -> tuple[str, str]:
    """Name and URL: a JSON object, or just a name."""
    if text.startswith("{"):
        try:
            found = orjson.loads(text)
        except ValueError:
            return text, ""
        if isinstance(found, dict):
            return str(found.get("name") or ""), str(found.get("url") or "")
    return text, ""


def _data(text: str) -> dict[str, Json] | None:
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and len(text) <= MAX_DATA else None
