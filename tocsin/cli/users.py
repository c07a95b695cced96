"""`tocsin user …`: people, from the command line."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tocsin.cli.client import Client, ServerError

app = typer.Typer(help="List, add, change and disable users.", no_args_is_help=True)
Url = Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")]
Email = Annotated[str, typer.Argument(help="The user's e-mail address.")]


@app.command("list")
def list_users(url: Url = None) -> None:
    """All users with their roles and states."""
    client = Client(url)
    table = Table("e-mail", "name", "roles", "status", "last sign-in", box=None, padding=(0, 2, 0, 0))
    number = 0
    while True:
        answer = client.request("GET", "/api/v2/users", params={"page[size]": "100", "page[number]": str(number)})
        roles = {r["id"]: r["attributes"]["name"] for r in answer.get("included", []) if r["type"] == "roles"}
        for user in answer["data"]:
            held = [roles.get(r["id"], r["id"]) for r in user["relationships"]["roles"]["data"]]
            attributes = user["attributes"]
            table.add_row(
                attributes["email"],
                attributes.get("name") or "",
                ", ".join(held),
                attributes["status"],
                attributes.get("last_login_time") or "never",
            )
        number += 1
        if number * 100 >= answer["meta"]["page"]["total_count"]:
            break
    Console().print(table)


@app.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="Full name.")] = "",
    role: Annotated[str, typer.Option(help="Admin, Standard, Read Only, or a role of your own.")] = "Standard",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="TOCSIN_NEW_PASSWORD")
    ] = "",
    url: Url = None,
) -> None:
    """Add a user who can sign in with a password."""
    client = Client(url)
    role_id = _role_id(client, role)
    body = {
        "data": {
            "type": "users",
            "attributes": {"email": email, "name": name},
            "relationships": {"roles": {"data": [{"id": role_id, "type": "roles"}]}},
        }
    }
    user = client.request("POST", "/api/v2/users", json=body)["data"]
    _set_password(client, user["id"], password)
    Console().print(f"added {email} as {role}")


@app.command()
def password(
    email: Email,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="TOCSIN_NEW_PASSWORD")
    ] = "",
    url: Url = None,
) -> None:
    """Set a user's password; all of that user's sessions end."""
    client = Client(url)
    _set_password(client, _user_id(client, email), password)
    Console().print(f"password of {email} changed")


@app.command()
def disable(email: Email, url: Url = None) -> None:
    """Disable a user; their sessions and keys stop working at once."""
    client = Client(url)
    client.request("DELETE", f"/api/v2/users/{_user_id(client, email)}")
    Console().print(f"{email} is disabled")


@app.command()
def enable(email: Email, url: Url = None) -> None:
    """Enable a disabled user."""
    client = Client(url)
    user_id = _user_id(client, email)
    body = {"data": {"id": user_id, "type": "users", "attributes": {"disabled": False}}}
    client.request("PATCH", f"/api/v2/users/{user_id}", json=body)
    Console().print(f"{email} is enabled")


def _set_password(client: Client, user_id: str, password: str) -> None:
    body = {"data": {"type": "passwords", "attributes": {"password": password}}}
    client.request("PUT", f"/api/v2/users/{user_id}/password", json=body)


def _user_id(client: Client, email: str) -> str:
    answer = client.request("GET", "/api/v2/users", params={"filter": email, "page[size]": "100"})
    for user in answer["data"]:
        if user["attributes"]["email"] == email.lower():
            return str(user["id"])
    raise ServerError(404, f"no user has the e-mail {email}; `tocsin user list` shows all")


def _role_id(client: Client, name: str) -> str:
    answer = client.request("GET", "/api/v2/roles", params={"page[size]": "100"})
    for role in answer["data"]:
        if role["attributes"]["name"].lower() == name.lower():
            return str(role["id"])
    names = ", ".join(role["attributes"]["name"] for role in answer["data"])
    raise ServerError(404, f"no role is named {name}; there are: {names}")
