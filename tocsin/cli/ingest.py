"""`tocsin ingest`: files to the server, with nothing lost and an account of it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tocsin.cli.client import Client, ServerError
from tocsin.cli.files import Line, UnreadableFile, read_records

BATCH_EVENTS = 1000
BATCH_BYTES = 4_000_000
"""Within the intake's limits of 1,000 events and 5 MB a request."""


BACKFILL = "backfill:true"
"""Rules look at events with this tag however old they are (decision 0071)."""


@dataclass
class Account:
    """What became of the events: `sent` = `stored` + `duplicates` + the sum of `rejected`."""

    sent: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, events: int, answer: dict[str, Any]) -> None:
        self.sent += events
        self.stored += answer["stored"]
        self.duplicates += answer["duplicates"]
        for item in answer["rejected"]:
            self.rejected[f"{item['code']}: {item['reason']}"] += item["count"]


def ingest(
    files: Annotated[list[str], typer.Argument(help="Log files; - for standard input.", metavar="FILE…")],
    source: Annotated[str | None, typer.Option(help="Source (ddsource) of events that do not say.")] = None,
    service: Annotated[str | None, typer.Option(help="Service of events that do not say.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag key:value for every event; repeatable.")] = None,
    url: Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")] = None,
) -> None:
    """Send log files: JSON lines, JSON lists, CloudTrail files or plain text; plain, gzip or zstd.

    Exit code 0: all events are stored. 1: some were rejected (`tocsin rejected list` shows them). 2: a file could not
    be read, or the server did not take it; what was sent before is stored.
    """
    console = Console(stderr=True)
    account = Account()
    client = Client(url)
    query = {key: value for key, value in (("ddsource", source), ("service", service)) if value}
    query["ddtags"] = ",".join([*(tag or ()), BACKFILL])
    failed = False
    sizes = {name: Path(name).stat().st_size if Path(name).is_file() else 0 for name in files}
    total = sum(sizes.values())
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[events]:,} events"))
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total or None, events=0)
        done = 0
        for name in files:
            progress.update(task, description=name if len(name) < 40 else "…" + name[-38:])
            try:
                for events, lines, position in batches(read_records(name)):
                    account.add(events, _send(client, lines, query))
                    progress.update(task, completed=done + position, events=account.sent)
            except (UnreadableFile, ServerError) as error:
                console.print(f"[bold]error:[/] {error}", highlight=False)
                failed = True
                if isinstance(error, ServerError):
                    break
            done += sizes[name]
    _summary(Console(), account)
    raise typer.Exit(2 if failed else 1 if account.rejected else 0)


def batches(records: Iterable[Line]) -> Iterator[tuple[int, bytes, int]]:
    """Records as JSON lists within the intake's limits: number of events, body, position in the file."""
    parts: list[bytes] = []
    size, position = 0, 0
    for line in records:
        part = orjson.dumps(line.record)
        if parts and (len(parts) == BATCH_EVENTS or size + len(part) > BATCH_BYTES):
            yield len(parts), b"[" + b",".join(parts) + b"]", position
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
        position = line.position
    if parts:
        yield len(parts), b"[" + b",".join(parts) + b"]", position


def _send(client: Client, body: bytes, query: dict[str, str]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Tocsin-Account": "true"}
    answer: dict[str, Any] = client.request("POST", "/api/v2/logs", content=body, params=query, headers=headers)
    return answer


def _summary(console: Console, account: Account) -> None:
    table = Table("events", "", box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row(f"{account.sent:,}", "accepted")
    table.add_row(f"{account.stored:,}", "stored")
    if account.duplicates:
        table.add_row(f"{account.duplicates:,}", "were stored before (sent again)")
    for reason, count in account.rejected.most_common():
        table.add_row(f"{count:,}", f"rejected, {reason}")
    console.print(table, highlight=False)
