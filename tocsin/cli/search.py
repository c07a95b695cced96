"""`tocsin search`: the explorer's search, in a terminal."""

import csv
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer

from tocsin.cli.client import Client
from tocsin.cli.output import cell, note, plain_table, print_table, printable, report
from tocsin.query import TRACKS, QueryError, hints, parse

PAGE = 1000
TIME_WIDTH = 24


class Track(StrEnum):
    LOGS = "logs"
    SIGNALS = "signals"
    SUPPRESSED = "suppressed"
    AUDIT = "audit"


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


COLUMNS: Mapping[Track, tuple[tuple[str, str], ...]] = {
    Track.LOGS: (
        ("time", "timestamp"),
        ("status", "status"),
        ("host", "host"),
        ("source", "source"),
        ("service", "service"),
        ("message", "message"),
    ),
    Track.SIGNALS: (
        ("time", "timestamp"),
        ("severity", "status"),
        ("state", "custom.workflow.triage.state"),
        ("title", "title"),
        ("entities", "custom.entities"),
        ("events", "custom.workflow.events_matched"),
    ),
    Track.SUPPRESSED: (
        ("time", "timestamp"),
        ("severity", "status"),
        ("suppression", "custom.workflow.suppression.name"),
        ("title", "title"),
        ("entities", "custom.entities"),
        ("events", "custom.workflow.events_matched"),
    ),
    Track.AUDIT: (
        ("time", "timestamp"),
        ("who", "attributes.usr.email"),
        ("action", "attributes.action"),
        ("what", "attributes.asset.type"),
        ("message", "message"),
    ),
}
"""Each track's columns: heading and path in the API's answer."""

SEVERITY_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "blue",
    "info": "dim",
}


def search(
    query: Annotated[str, typer.Argument(help="A query, as in the explorer; empty or * for everything.")] = "",
    track: Annotated[Track, typer.Option(help="What to search.")] = Track.LOGS,
    from_: Annotated[str, typer.Option("--from", help="RFC 3339, Unix milliseconds, or like now-1d.")] = "now-1d",
    to: Annotated[str, typer.Option(help="As --from.")] = "now",
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 100,
    format_: Annotated[Format, typer.Option("--format", help="json: one event a line.")] = Format.TABLE,
    url: Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")] = None,
) -> None:
    """Search logs, signals or the audit trail."""
    try:
        parse(query)
    except QueryError as error:
        report(f"{error.message}\n  {query}\n  {' ' * error.start}^" + (f"\nhint: {error.fix}" if error.fix else ""))
        raise typer.Exit(2) from error
    for hint in hints(query, TRACKS[track.value]):
        note(f"hint: {hint.message}" + (f"   {hint.fix}" if hint.fix else ""))
    events = _events(Client(url), track, {"query": query, "from": from_, "to": to}, limit)
    if format_ is Format.JSON:
        for event in events:
            sys.stdout.buffer.write(orjson.dumps(event) + b"\n")
    elif format_ is Format.CSV:
        writer = csv.writer(sys.stdout)
        writer.writerow([heading for heading, _ in COLUMNS[track]])
        for event in events:
            writer.writerow([_guarded(printable(value, keep="\n\t")) for value in _row(event, track)])
    else:
        _print_table(events, track)


def _events(client: Client, track: Track, filter_: dict[str, str], limit: int) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while limit > 0:
        page: dict[str, Any] = {"limit": min(limit, PAGE)}
        if cursor:
            page["cursor"] = cursor
        answer = client.request("POST", f"/api/v2/explore/{track.value}/events", json={"filter": filter_, "page": page})
        yield from answer["data"]
        limit -= len(answer["data"])
        cursor = answer.get("meta", {}).get("page", {}).get("after")
        if not cursor:
            return


def _row(event: Mapping[str, Any], track: Track) -> list[str]:
    return [_text(_at(event["attributes"], path)) for _, path in COLUMNS[track]]


def _at(node: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(node, Mapping):
            return None
        node = node.get(key)
    return node


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)


def _guarded(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula is made text (siem.md §4.7)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\n") else cell


def _print_table(events: Iterator[dict[str, Any]], track: Track) -> None:
    table = plain_table()
    for number, (heading, _) in enumerate(COLUMNS[track]):
        table.add_column(heading, overflow="ellipsis", no_wrap=True, min_width=TIME_WIDTH if number == 0 else None)
    for event in events:
        cells = [cell(value) for value in _row(event, track)]
        if track in (Track.SIGNALS, Track.SUPPRESSED):
            cells[1].stylize(SEVERITY_STYLES.get(cells[1].plain, ""))
        table.add_row(*cells)
    if table.row_count:
        print_table(table)
    else:
        note("nothing found; widen the time with --from now-7d, or drop a term")
