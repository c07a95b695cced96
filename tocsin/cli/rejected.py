"""`tocsin rejected …`: events that could not be taken, and a second try for them."""

from collections import Counter
from typing import Annotated

import typer

from tocsin.cli.client import Client
from tocsin.cli.output import cell, plain_table, print_table, report

app = typer.Typer(help="List and replay rejected events.", no_args_is_help=True)
Url = Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")]
PATH = "/api/v2/tocsin/intake/rejected"
SHOWN_CHARACTERS = 120


@app.command("list")
def list_rejected(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, newest first.")] = 50,
    code: Annotated[str | None, typer.Option(help="Only those rejected for this reason's code.")] = None,
    url: Url = None,
) -> None:
    """The newest rejected events, each with its reason."""
    params = {"page[limit]": str(limit)} | ({"filter[code]": code} if code else {})
    found = Client(url).request("GET", PATH, params=params)["data"]
    if not found:
        print("nothing was rejected" + (f" with the code {code}" if code else ""))
        return
    table = plain_table("id", "received", "code", "reason", "replayed", "event")
    for item in found:
        attributes = item["attributes"]
        start = attributes["raw"][:SHOWN_CHARACTERS]
        shown = (attributes[name] for name in ("received_at", "code", "reason", "replayed_at"))
        table.add_row(*map(cell, (item["id"], *shown, start)))
    print_table(table)


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids; none: all that were not replayed yet.")] = None,
    url: Url = None,
) -> None:
    """Send rejected events through the pipeline again; doing it twice does no harm.

    Exit code 1: some were rejected again; 2: an id is unknown.
    """
    client = Client(url)
    total: Counter[str] = Counter()
    while True:
        body = {"filter": {"ids": ids or []}}
        answer = client.request("POST", f"{PATH}/replay", json=body, is_repeatable=True)["data"]["attributes"]
        total.update({name: answer[name] for name in ("replayed", "stored", "duplicates", "rejected")})
        if answer["is_complete"]:
            break
    known = f", known already {total['duplicates']}" if total["duplicates"] else ""
    print(f"replayed {total['replayed']}: stored {total['stored']}{known}, rejected again {total['rejected']}")
    if missing := max(len(set(ids or [])) - total["replayed"], 0):
        report(f"ids that no rejected event has: {missing}; `tocsin rejected list` shows all")
        raise typer.Exit(2)
    raise typer.Exit(1 if total["rejected"] else 0)
