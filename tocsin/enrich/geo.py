"""Places of addresses from MMDB files (country, city, AS), with MaxMind's field names and with ip-location-db's."""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import maxminddb

from tocsin.enrich.countries import CONTINENTS, COUNTRIES
from tocsin.errors import TocsinError
from tocsin.remembering import remembered

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_V4 = re.compile(rf"({_OCTET})(?:\.{_OCTET}){{3}}")
PARTLY_GLOBAL = frozenset(map(str, (0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256))))
"""First numbers of networks that hold addresses which are not global; of the others all are, which saves asking."""

LONGEST_ADDRESS = 64
"""Characters of the longest address that is remembered; senders may write any text in its place."""


PROBED = 1_000
"""Networks of a database that are looked at to learn whether it has coordinates."""


class BadDatabase(TocsinError):
    """A place database cannot be read."""


class Places:
    """Looks addresses up. Without a database every place is the empty object, and `warning` says so once."""

    def __init__(self, files: Sequence[Path] = ()) -> None:
        """`files` in order of preference: what an earlier one says about a field stands.

        A file that does not exist is left out and named in `warning`; raises `BadDatabase` for one that cannot be
        read, because it was put there on purpose.
        """
        self._readers: list[tuple[Any, bool]] = []  # with whether it knows IPv6
        missing: list[str] = []
        for file in files:
            if not file.is_file():
                missing.append(str(file))
                continue
            try:
                reader = maxminddb.open_database(str(file), maxminddb.MODE_AUTO)
            except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
                raise BadDatabase(f"cannot read the place database {file}: {error}") from error
            self._readers.append((reader, reader.metadata().ip_version == 6))
        self.warning: str | None = None
        if missing:
            self.warning = f"place database not found: {', '.join(missing)}; events get no such place"
        elif not self._readers:
            self.warning = "no place database is configured; events get no country"
        self._known: Callable[[str], dict[str, Any] | None] = remembered(65536, LONGEST_ADDRESS)(self._find)

    def place(self, address: str) -> dict[str, Any]:
        """The object of siem.md §1.4 (`country`, `city`, `as`, …), new each time; `{}` if unknown or private."""
        found = self._known(address)
        if not found:
            return {}
        return {name: value.copy() if type(value) is dict else value for name, value in found.items()}

    @cached_property
    def has_cities(self) -> bool:
        """Whether any of the databases knows where a place lies, which rules about travel need (siem.md §2.17)."""
        return any(
            isinstance(record, Mapping) and "location" in place_of(record)
            for reader, _ in self._readers
            for _, record in islice(reader, PROBED)
        )

    def close(self) -> None:
        for reader, _ in self._readers:
            reader.close()
        self._readers.clear()

    def _find(self, address: str) -> dict[str, Any] | None:
        if not self._readers:
            return None
        text = address.strip()
        plain = _V4.fullmatch(text)
        wanted: Any = text
        is_v6 = False
        if plain is None or plain[1] in PARTLY_GLOBAL:
            try:
                parsed = ipaddress.ip_address(text)
            except ValueError:
                return None
            if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
                parsed = parsed.ipv4_mapped
            if not parsed.is_global:
                # Test databases answer for documentation networks too; real ones do not know them.
                return None
            wanted, is_v6 = parsed, parsed.version == 6
        found: dict[str, Any] = {}
        for reader, knows_ipv6 in self._readers:
            if is_v6 and not knows_ipv6:
                continue
            record = reader.get(wanted)
            if isinstance(record, Mapping):
                for name, value in place_of(record).items():
                    found.setdefault(name, value)
        return found or None


def place_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of either kind as the object of siem.md §1.4."""
    found: dict[str, Any] = {}
    iso_code = _text(record.get("country_code")) or _text(_inner(record, "country").get("iso_code"))
    if iso_code:
        iso_code = iso_code.upper()
        name, continent = COUNTRIES.get(iso_code, (_name(_inner(record, "country")), ""))
        found["country"] = {"iso_code": iso_code} | ({"name": name} if name else {})
        code = _text(_inner(record, "continent").get("code")) or continent
        if code:
            found["continent"] = {"code": code} | ({"name": CONTINENTS[code]} if code in CONTINENTS else {})
    divisions = record.get("subdivisions")
    division = divisions[0] if isinstance(divisions, list) and divisions else {}
    state = _name(division) or _text(record.get("state1"))
    if state:
        code = _text(division.get("iso_code")) if isinstance(division, Mapping) else ""
        found["subdivision"] = {"name": state} | ({"iso_code": f"{iso_code}-{code}"} if code else {})
    city = record.get("city")
    if city_name := _name(city) if isinstance(city, Mapping) else _text(city):
        found["city"] = {"name": city_name}
    location = _inner(record, "location") or record
    latitude, longitude = location.get("latitude"), location.get("longitude")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        found["location"] = {"latitude": latitude, "longitude": longitude}
    if zone := _text(location.get("time_zone")) or _text(record.get("timezone")):
        found["timezone"] = zone
    number = record.get("autonomous_system_number")
    organisation = _text(record.get("autonomous_system_organization"))
    if number or organisation:
        found["as"] = ({"number": f"AS{number}"} if number else {}) | ({"name": organisation} if organisation else {})
    return found


def _inner(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _name(record: Any) -> str:
    names = record.get("names") if isinstance(record, Mapping) else None
    return _text(names.get("en")) if isinstance(names, Mapping) else ""
