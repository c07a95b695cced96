"""Settings: each documented once, here; read from the environment and one TOML file.

The environment wins over the file, the file over the default. `tocsin config` prints the effective values without
secrets.
"""

import difflib
import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from tocsin.errors import TocsinError


class BadSetting(TocsinError):
    """A setting has a name or a value that Tocsin does not know."""


def _setting(
    default: Any,
    doc: str,
    *,
    secret: bool = False,
    least: int | None = None,
    most: int | None = None,
    choices: Collection[str] = (),
) -> Any:
    """`least` and `most` bound a number; `choices` are all texts that make sense, none: any."""
    bounds = {"least": least, "most": most, "choices": choices}
    return field(default=default, metadata={"doc": doc, "secret": secret, **bounds})


@dataclass(frozen=True)
class Config:
    """Effective settings. A field `data` is `TOCSIN_DATA` in the environment and `data` in the file."""

    data: Path = _setting(Path("data"), "Directory of the embedded stores.")
    host: str = _setting("127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
    port: int = _setting(8080, "Port to listen on.", least=1, most=65535)
    events_url: str = _setting(
        "",
        "Event store: empty for the embedded engine, or clickhouse://user:password@host:8123/database?cluster=c.",
        secret=True,
    )
    state_url: str = _setting(
        "",
        "State store: empty for SQLite in the data directory, or postgresql://user:password@host/db.",
        secret=True,
    )
    admin_email: str = _setting("", "E-mail of the first administrator, created at the first start.")
    admin_password: str = _setting("", "Password of the first administrator.", secret=True)
    api_key: str = _setting("", "API key (32 hex digits) created at the first start.", secret=True)
    app_key: str = _setting("", "Application key (40 hex digits) of the first administrator.", secret=True)
    logs_retention_days: int = _setting(30, "Days that logs are kept; 0 = for ever.", least=0)
    signals_retention_days: int = _setting(456, "Days that signals are kept (15 months); 0 = for ever.", least=0)
    audit_retention_days: int = _setting(0, "Days that audit events are kept; 0 = for ever.", least=0)
    rejected_retention_days: int = _setting(30, "Days that rejected events are kept for replay; 0 = for ever.", least=0)
    geoip_country: Path | None = _setting(None, "Country database (.mmdb); default: the one that is shipped.")
    geoip_city: Path | None = _setting(None, "City database (.mmdb) of your own.")
    geoip_asn: Path | None = _setting(None, "AS database (.mmdb) of your own.")
    intake_workers: int = _setting(
        0,
        "Processes that parse and match events; 0 = one for each core but one, at least two; -1 = none of their own.",
        least=-1,
    )
    intake_buffer_bytes: int = _setting(64_000_000, "Bytes of requests held before the intake answers 429.", least=1)
    memory_bytes: int = _setting(2_000_000_000, "Memory that the embedded engine may use.", least=1)
    query_seconds: int = _setting(20, "Longest time that one search may take.", least=1)
    query_rows: int = _setting(500_000_000, "Most rows that one search may read.", least=1)
    query_memory_bytes: int = _setting(1_500_000_000, "Most memory that one search may use.", least=1)
    session_idle_minutes: int = _setting(480, "A session ends after this time without a request.", least=1)
    session_hours: int = _setting(168, "A session ends after this time in any case.", least=1)
    secure_cookies: bool = _setting(False, "Mark cookies as Secure: set it when TLS ends in front of Tocsin.")
    signal_lock_days: int = _setting(30, "Triage of a signal is refused from this age on; 0 = never.", least=0)
    outbound_internal: bool = _setting(
        False, "Let feeds be fetched from internal addresses (private, loopback, link-local) too."
    )
    secret_key: str = _setting(
        "", "Key that stored secrets are encrypted with; default: secret.key in the data directory.", secret=True
    )
    demo: bool = _setting(False, "Fill an empty Tocsin with a story to look at.")
    log_format: str = _setting("console", "Own log lines: console or json.", choices=("console", "json"))

    def shown(self) -> dict[str, str]:
        """Every setting as text; secrets only say whether they are set."""
        values = {}
        for item in fields(self):
            value = getattr(self, item.name)
            text = "" if value is None else str(value)
            values[item.name] = "(set)" if item.metadata["secret"] and text else text
        return values


def load_config(environ: Mapping[str, str] = os.environ, file: Path | None = None, **overrides: Any) -> Config:
    """Read the settings; `overrides` (not None) come from the command line and win.

    The file is `file`, else `TOCSIN_CONFIG`, else `tocsin.toml` in the working directory if there is one.
    Raises `BadSetting` for an unknown name or a value of the wrong type.
    """
    chosen = file or (Path(environ["TOCSIN_CONFIG"]) if environ.get("TOCSIN_CONFIG") else None)
    if chosen is None and Path("tocsin.toml").is_file():
        chosen = Path("tocsin.toml")
    values: dict[str, Any] = {}
    settings = {item.name: item for item in fields(Config)}
    if chosen is not None:
        for name, value in _table(chosen).items():
            if name not in settings:
                raise BadSetting(f"unknown setting '{name}' in {chosen}; `tocsin config` lists the names")
            values[name] = _parse(settings[name], value)
    for name, setting in settings.items():
        if text := environ.get(f"TOCSIN_{name.upper()}", ""):
            values[name] = _parse(setting, text)
    values.update({name: _parse(settings[name], value) for name, value in overrides.items() if value is not None})
    return Config(**values)


def misspelt(environ: Mapping[str, str] = os.environ) -> Iterator[tuple[str, str]]:
    """Variables that nearly spell a setting, each with it: nobody reads them, and nothing else would say so."""
    known = [f"TOCSIN_{item.name.upper()}" for item in fields(Config)]
    for name in sorted(set(environ).difference(known, OTHER_VARIABLES)):
        if near := name.startswith("TOCSIN_") and difflib.get_close_matches(name, known, n=1, cutoff=0.88):
            yield name, near[0]


OTHER_VARIABLES = ("TOCSIN_CONFIG", "TOCSIN_URL", "TOCSIN_NEW_PASSWORD")
"""Read elsewhere: where the settings are, which server a command speaks to, the password that `user` sets."""


def _table(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadSetting(f"cannot read the settings file {file}: {error}") from error


def _parse(setting: Field[Any], value: Any) -> Any:
    """The value in the setting's type; texts are taken for numbers and switches, as the environment has only texts."""
    name, hint, metadata = setting.name, HINTS[setting.name], setting.metadata
    if hint is bool:
        if str(value).lower() in ("1", "true", "yes", "on"):
            return True
        if str(value).lower() in ("0", "false", "no", "off"):
            return False
        raise BadSetting(f"setting '{name}' takes true or false, not '{value}'")
    if hint is int:
        number = _whole(value)
        if number is None:
            raise BadSetting(f"setting '{name}' takes a whole number, not '{value}'")
        least, most = metadata["least"], metadata["most"]
        if least is not None and number < least:
            raise BadSetting(f"setting '{name}' takes {least:,} or more, not {number:,}")
        if most is not None and number > most:
            raise BadSetting(f"setting '{name}' takes {most} or less, not {number}")
        return number
    if not isinstance(value, str | Path):
        raise BadSetting(f"setting '{name}' takes a text, not {value}")
    if metadata["choices"] and value not in metadata["choices"]:
        raise BadSetting(f"setting '{name}' takes {' or '.join(metadata['choices'])}, not '{value}'")
    return str(value) if hint is str else Path(value)


def _whole(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(value) if isinstance(value, str) else None
    except ValueError:
        return None


HINTS = get_type_hints(Config)
