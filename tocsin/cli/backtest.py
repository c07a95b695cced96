"""`tocsin rules backtest`: the signals that a rule would have raised on stored logs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer

from tocsin.cli.client import Client, ServerError
from tocsin.cli.output import cell, note, plain_table, print_table
from tocsin.cli.search import SEVERITY_STYLES
from tocsin.errors import BadRequest

SECONDS = 330
"""The server gives up after five minutes, and says so."""

RULES = "/api/v2/security_monitoring/rules"

SUFFIXES = (".json", ".yaml", ".yml")


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


def backtest(
    rule: Annotated[str, typer.Argument(help="Id of a stored rule, or a file with a rule (JSON or YAML).")],
    from_: Annotated[str, typer.Option("--from", help="RFC 3339, Unix milliseconds, or like now-7d.")] = "now-7d",
    to: Annotated[str, typer.Option(help="As --from.")] = "now",
    version: Annotated[int | None, typer.Option(min=1, help="Of a stored rule; default: the current one.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Id of the stored rule that a file is compared with; default: the file's id.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, max=1000, help="Show at most so many signals.")] = 100,
    format_: Annotated[Format, typer.Option("--format", help="json: the server's whole answer.")] = Format.TABLE,
    url: Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")] = None,
) -> None:
    """Show which signals a rule would have raised, and how they differ from those of its current version."""
    client = Client(url, timeout_seconds=SECONDS)
    body: dict[str, Any] = {"from": from_, "to": to, "limit": limit}
    if rule.endswith(SUFFIXES):
        if version is not None:
            raise BadRequest("--version goes with the id of a stored rule; a file holds one version")
        document = _read(Path(rule))
        body |= {"rule": document, "against": against or _stored(client, document.get("id"))}
    else:
        if against is not None:
            raise BadRequest("--against goes with a file; a stored rule is compared with its own current version")
        body |= {"ruleId": rule, "version": version}
    answer = client.request("POST", f"{RULES}/backtest", json=body, is_repeatable=True)
    if format_ is Format.JSON:
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(answer["data"])


def _read(path: Path) -> dict[str, Any]:
    from tocsin.rules.shipped import load_document  # here, so that no other command waits for it

    document = load_document(path)
    if not isinstance(document, dict):
        raise BadRequest(f"{path} does not hold a rule: it must be an object with name, message, queries, …")
    return {"isEnabled": True, **document}


def _stored(client: Client, rule_id: Any) -> str | None:
    """The id, if the server has the rule."""
    if not isinstance(rule_id, str) or not rule_id:
        return None
    try:
        client.request("GET", f"{RULES}/{quote(rule_id, safe='')}")
    except ServerError as error:
        if error.status != 404:
            raise
        return None
    return rule_id


def _print(data: dict[str, Any]) -> None:
    table = plain_table("time", "severity", "title", "group", "events")
    for signal in data["shown"]:
        group = ", ".join(f"{field}:{_text(value)}" for field, value in signal["group"].items())
        cells = [signal["timestamp"], signal["severity"], signal["title"], group, str(signal["events_matched"])]
        if signal["hides"] == "signal":
            cells[2] += f" (hidden by {', '.join(one['name'] for one in signal['hidden_by'])})"
        row = [cell(text) for text in cells]
        row[1].stylize(SEVERITY_STYLES.get(signal["severity"], ""))
        table.add_row(*row)
    if table.row_count:
        print_table(table)
    shown = "" if len(data["shown"]) == data["signals"] else f" ({len(data['shown'])} shown)"
    note(f"{data['rule']}: {data['signals']:,} signals{shown} in {data['elapsed_ms'] / 1000:.1f} s")
    _print_hidden(data["signals"], data["hidden"])
    for failed in data["failed"]:
        note(f"group {failed['group']} could not be decided: {failed['reason']}")
    if data["comparison"]:
        _print_comparison(data["comparison"])


def _print_hidden(signals: int, hidden: dict[str, Any]) -> None:
    if not hidden["by"]:
        return
    of = "" if hidden["judged"] == signals else f" of the first {hidden['judged']:,}"
    by = ", ".join(f"{one['name']} ({one['id']}) {one['signals']:,}" for one in hidden["by"])
    updates = f", and further events of {hidden['updates']:,} others" if hidden["updates"] else ""
    note(f"suppressions would hide {hidden['signals']:,}{of}{updates}: {by}")


def _print_comparison(found: dict[str, Any]) -> None:
    counts = found["counts"]
    note(
        f"version {found['version']} of {found['ruleId']} raises {found['signals']:,}: "
        + ", ".join(f"{counts[name]:,} {name}" for name in ("new", "gone", "changed", "same"))
    )
    table = plain_table("", "time", "severity", "group", "events", "changed")
    for sign, signal in [*(("+", signal) for signal in found["new"]), *(("-", signal) for signal in found["gone"])]:
        table.add_row(*map(cell, _row(sign, signal)), cell(""))
    for changed in found["changed"]:
        before, after = changed["before"], changed["after"]
        told = ", ".join(f"{name} {before[name]} → {after[name]}" for name in changed["members"])
        table.add_row(*map(cell, _row("~", after)), cell(told))
    if table.row_count:
        print_table(table)


def _row(sign: str, signal: dict[str, Any]) -> list[str]:
    group = ", ".join(signal["group"])
    return [sign, signal["timestamp"], signal["severity"], group, str(signal["events_matched"])]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
