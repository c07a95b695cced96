"""`tocsin key …`: API keys (who may send) and application keys (who may ask)."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

import typer

from tocsin.cli.client import Client, pages
from tocsin.cli.output import cell, note, plain_table, print_table

app = typer.Typer(help="List, create and revoke keys.", no_args_is_help=True)


class Kind(StrEnum):
    API = "api"
    APPLICATION = "application"


PATHS = {Kind.API: "/api/v2/api_keys", Kind.APPLICATION: "/api/v2/current_user/application_keys"}
TYPES = {Kind.API: "api_keys", Kind.APPLICATION: "application_keys"}
Url = Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")]
KindOption = Annotated[Kind, typer.Option("--kind", help="api: to send logs; application: to use the API.")]
Name = Annotated[str, typer.Argument(help="What the key is for, such as the shipper's name.")]
KeyId = Annotated[str, typer.Argument(help="Its id, as `tocsin key list` shows it.")]


@app.command("list")
def list_keys(kind: KindOption = Kind.API, url: Url = None) -> None:
    """All keys of a kind; only their last four characters are known."""
    table = plain_table("id", "name", "ends in", "created", "last used")
    for page in pages(Client(url), PATHS[kind]):
        for key in page["data"]:
            attributes = key["attributes"]
            used = attributes.get("date_last_used") or attributes.get("last_used_at") or "never"
            shown = (key["id"], attributes["name"], attributes["last4"], attributes["created_at"], used)
            table.add_row(*map(cell, shown))
    print_table(table)


@app.command()
def create(name: Name, kind: KindOption = Kind.API, url: Url = None) -> None:
    """Create a key and print it; it is shown only now."""
    body = {"data": {"type": TYPES[kind], "attributes": {"name": name}}}
    key = Client(url).request("POST", PATHS[kind], json=body)["data"]
    note(f"{kind.value} key '{name}' (id {key['id']}); it is shown only now:")
    print(key["attributes"]["key"])


@app.command()
def revoke(key_id: KeyId, kind: KindOption = Kind.API, url: Url = None) -> None:
    """Revoke a key; it stops working at once."""
    Client(url).request("DELETE", f"{PATHS[kind]}/{quote(key_id, safe='')}")
    print(f"revoked {key_id}")
