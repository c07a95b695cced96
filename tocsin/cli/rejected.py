"""`tocsin rejected …`: events that could not be taken, and a second try for them."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocsin.cli.client import Client

app = typer.Typer(help="List and replay rejected events.", no_args_is_help=True)
Url = Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")]
PATH = "/api/v2/tocsin/intake/rejected"


@app.command("list")
def list_rejected(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    code: Annotated[str | None, typer.Option(help="Only those rejected for this reason's code.")] = None,
    url: Url = None,
) -> None:
    """The newest rejected events, each with its reason."""
    params = {"page[limit]": str(limit)} | ({"filter[code]": code} if code else {})
    answer = Client(url).request("GET", PATH, params=params)
    table = Table("id", "received", "code", "reason", "event", box=None, padding=(0, 2, 0, 0))
    for item in answer["data"]:
        attributes = item["attributes"]
        raw = "".join(c if c.isprintable() else " " for c in attributes["raw"])
        table.add_row(
            item["id"], str(attributes["received_at"]), attributes["code"], Text(attributes["reason"]), Text(raw[:120])
        )
    Console().print(table if answer["data"] else "nothing was rejected")


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids; none: all that were not replayed yet.")] = None,
    url: Url = None,
) -> None:
    """Send rejected events through the pipeline again; doing it twice does no harm."""
    attributes = {"ids": ids} if ids else {"all": True}
    body = {"data": {"type": "rejected_replay", "attributes": attributes}}
    answer = Client(url).request("POST", f"{PATH}/replay", json=body)["data"]["attributes"]
    Console().print(f"replayed {answer['replayed']}, stored {answer['stored']}, rejected again {answer['rejected']}")
