"""`tocsin ingest`: files to the server, with nothing lost and an account of it."""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tocsin.cli.batches import Batch, batches
from tocsin.cli.client import Client, ServerError
from tocsin.cli.files import UnreadableFile, read_records
from tocsin.cli.output import printable, report
from tocsin.event import BACKFILL_TAG

PATIENCE_SECONDS = 300.0
"""How long a server that goes away in the middle is waited for: long enough for an upgrade."""

IN_FLIGHT = 3
"""Requests on their way at once: two that are worked on and one that arrives."""

SHOWN_REASONS = 20


@dataclass
class Account:
    """What became of the events: `sent` = `stored` + `duplicates` + the sum of `rejected`."""

    sent: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Batch, answer: dict[str, Any]) -> None:
        self.sent += batch.events
        self.stored += answer["stored"]
        self.duplicates += answer["duplicates"]
        for item in answer["rejected"]:
            self.rejected[f"{item['code']}: {item['reason']}"] += item["count"]

    def leave_out(self, number: int) -> None:
        if number:
            self.sent += number
            self.rejected["too_long: a record is larger than a request may be (5 MB); it was not sent"] += number


def _tag(text: str) -> str:
    name, colon, value = text.partition(":")
    if not (name and colon and value) or "," in text:
        raise typer.BadParameter(f"{text!r} is not of the form key:value")
    return text


def ingest(
    files: Annotated[list[str], typer.Argument(help="Log files; - for standard input.", metavar="FILE")],
    source: Annotated[str | None, typer.Option(help="Source (ddsource) of events that do not say.")] = None,
    service: Annotated[str | None, typer.Option(help="Service of events that do not say.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Tag key:value for every event; repeatable.", parser=_tag)
    ] = None,
    url: Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")] = None,
) -> None:
    """Send log files: JSON lines, JSON lists, CloudTrail files or plain text; plain, gzip or zstd.

    Sending a file again does no harm: what is stored already is counted and left alone.

    Exit code 0: all events are stored.
    1: some were rejected (`tocsin rejected list` shows them).
    2: a file could not be read, or the server did not take it; what was sent before is stored.
    """
    account = Account()
    query = {key: value for key, value in (("ddsource", source), ("service", service)) if value}
    query["ddtags"] = ",".join([*(tag or ()), BACKFILL_TAG])
    started_at = time.monotonic()
    try:
        is_complete = _send_all(files, query, Client(url), account)
    finally:
        _print_summary(account, time.monotonic() - started_at)
    raise typer.Exit(2 if not is_complete else 1 if account.rejected else 0)


def _send_all(files: Sequence[str], query: dict[str, str], client: Client, account: Account) -> bool:
    """Send the files one after the other; says whether all of them were read and sent to the end."""
    console = Console(stderr=True)
    is_complete = True
    sizes = [Path(name).stat().st_size if Path(name).is_file() else 0 for name in files]
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[events]:,} events"))
    with (
        Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress,
        _Sender(client, query, account) as sender,
    ):
        task = progress.add_task("", total=sum(sizes) or None, events=0)
        client.on_wait = _Once(lambda reason: report(f"{reason}; still trying", progress.console, "waiting:"))
        for number, name in enumerate(files):
            progress.update(task, description=escape(name if len(name) < 40 else "…" + name[-38:]))
            try:
                for batch in batches(read_records(name)):
                    sender.send(batch)
                    progress.update(task, completed=sum(sizes[:number]) + batch.position, events=account.sent)
            except UnreadableFile as error:
                report(error, progress.console)
                is_complete = False
            except ServerError as error:
                report(error, progress.console)
                return False
        try:
            sender.finish()
        except ServerError as error:
            report(error, progress.console)
            return False
        progress.update(task, completed=sum(sizes), events=account.sent)
    return is_complete


class _Sender:
    """Keeps some requests on their way, so that the server's workers have work while we read; accounts for each."""

    def __init__(self, client: Client, query: dict[str, str], account: Account) -> None:
        self._client = client
        self._client.patience_seconds = PATIENCE_SECONDS
        self._query = query
        self._account = account
        self._pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="ingest")
        self._waiting: deque[tuple[Batch, Future[dict[str, Any]]]] = deque()

    def send(self, batch: Batch) -> None:
        """Send, and wait for the oldest answer if enough are on their way. Raises its `ServerError`."""
        self._account.leave_out(batch.too_long)
        if batch.events:
            self._waiting.append((batch, self._pool.submit(self._request, batch)))
        if len(self._waiting) >= IN_FLIGHT:
            self._settle()

    def finish(self) -> None:
        """Wait for all answers. Raises the first `ServerError`."""
        while self._waiting:
            self._settle()

    def _settle(self) -> None:
        batch, answer = self._waiting.popleft()
        self._account.add(batch, answer.result())

    def _request(self, batch: Batch) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.request(
            "POST",
            "/api/v2/logs",
            content=batch.body,
            params=self._query,
            headers={"Content-Type": "application/json", "Tocsin-Account": "true"},
            is_repeatable=True,
        )
        return answer

    def __enter__(self) -> "_Sender":
        return self

    def __exit__(self, *_: object) -> None:
        """After a failure: what is on its way may still be stored, and is then counted."""
        self._client.patience_seconds = 0
        self._pool.shutdown(cancel_futures=True)
        for batch, answer in self._waiting:
            if not answer.cancelled() and answer.exception() is None:
                self._account.add(batch, answer.result())


class _Once:
    """Says each reason once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()

    def __call__(self, reason: str) -> None:
        if reason not in self._said:
            self._said.add(reason)
            self._say(reason)


def _print_summary(account: Account, seconds: float) -> None:
    rate = account.sent / max(seconds, 0.001)
    lines = [(account.sent, f"accepted, in {seconds:.1f} s ({rate:,.0f}/s)"), (account.stored, "stored")]
    if account.duplicates:
        lines.append((account.duplicates, "were stored before (sent again)"))
    reasons = account.rejected.most_common()
    lines += [(number, f"rejected, {printable(reason)}") for reason, number in reasons[:SHOWN_REASONS]]
    if rest := sum(number for _, number in reasons[SHOWN_REASONS:]):
        lines.append((rest, "rejected for other reasons; see `tocsin rejected list`"))
    for number, text in lines:
        print(f"{number:>11,}  {text}")
