"""`tocsin key …`: API keys (who may send) and application keys (who may ask)."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tocsin.cli.client import Client

app = typer.Typer(help="List, create and revoke keys.", no_args_is_help=True)
Url = Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")]


class Kind(StrEnum):
    API = "api"
    APPLICATION = "application"


PATHS = {Kind.API: "/api/v2/api_keys", Kind.APPLICATION: "/api/v2/current_user/application_keys"}
TYPES = {Kind.API: "api_keys", Kind.APPLICATION: "application_keys"}
KindOption = Annotated[Kind, typer.Option("--kind", help="api: to send logs; application: to use the API.")]


@app.command("list")
def list_keys(kind: KindOption = Kind.API, url: Url = None) -> None:
    """All keys of a kind; only their last four characters are known."""
    table = Table("id", "name", "ends in", "created", "last used", box=None, padding=(0, 2, 0, 0))
    for key in Client(url).request("GET", PATHS[kind], params={"page[size]": "100"})["data"]:
        attributes = key["attributes"]
        used = attributes.get("date_last_used") or attributes.get("last_used_at") or "never"
        table.add_row(key["id"], attributes["name"], attributes["last4"], attributes["created_at"], used)
    Console().print(table)


@app.command()
def create(name: str, kind: KindOption = Kind.API, url: Url = None) -> None:
    """Create a key and print it; it is shown only now."""
    body = {"data": {"type": TYPES[kind], "attributes": {"name": name}}}
    key = Client(url).request("POST", PATHS[kind], json=body)["data"]
    Console(stderr=True).print(f"{kind.value} key '{name}' (id {key['id']}); it is shown only now:", highlight=False)
    print(key["attributes"]["key"])


@app.command()
def revoke(key_id: str, kind: KindOption = Kind.API, url: Url = None) -> None:
    """Revoke a key; it stops working at once."""
    Client(url).request("DELETE", f"{PATHS[kind]}/{key_id}")
    Console().print(f"revoked {key_id}")
