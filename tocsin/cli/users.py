"""`tocsin user …`: people, from the command line."""

import sys
from typing import Annotated

import typer

from tocsin.cli.client import Client, ServerError, pages
from tocsin.cli.output import cell, plain_table, print_table
from tocsin.errors import BadRequest

app = typer.Typer(help="List, add, change and disable users.", no_args_is_help=True)
Url = Annotated[str | None, typer.Option(help="Server; default: the one on this machine.")]
Password = Annotated[
    str | None, typer.Option(help="Better not given here, where others may see it.", envvar="TOCSIN_NEW_PASSWORD")
]
Email = Annotated[str, typer.Argument(help="The user's e-mail address.")]


@app.command("list")
def list_users(url: Url = None) -> None:
    """All users with their roles and states."""
    table = plain_table("e-mail", "name", "roles", "status", "last sign-in")
    for answer in pages(Client(url), "/api/v2/users"):
        roles = {r["id"]: r["attributes"]["name"] for r in answer.get("included", []) if r["type"] == "roles"}
        for user in answer["data"]:
            held = [roles.get(r["id"], r["id"]) for r in user["relationships"]["roles"]["data"]]
            attributes = user["attributes"]
            signed_in = attributes.get("last_login_time") or "never"
            shown = (attributes["email"], attributes.get("name"), ", ".join(held), attributes["status"], signed_in)
            table.add_row(*map(cell, shown))
    print_table(table)


@app.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="Full name.")] = "",
    role: Annotated[str, typer.Option(help="Admin, Standard, Read Only, or a role of your own.")] = "Standard",
    password: Password = None,
    url: Url = None,
) -> None:
    """Add a user who can sign in with a password."""
    client = Client(url)
    role_id = _role_id(client, role)
    password = password or _asked_password()
    body = {
        "data": {
            "type": "users",
            "attributes": {"email": email, "name": name, "password": password},
            "relationships": {"roles": {"data": [{"id": role_id, "type": "roles"}]}},
        }
    }
    client.request("POST", "/api/v2/users", json=body)
    print(f"added {email} as {role}")


@app.command()
def password(
    email: Email,
    password: Password = None,
    url: Url = None,
) -> None:
    """Set a user's password; all of that user's sessions end."""
    client = Client(url)
    user_id = _user_id(client, email)
    body = {"data": {"type": "passwords", "attributes": {"password": password or _asked_password()}}}
    client.request("PUT", f"/api/v2/users/{user_id}/password", json=body)
    print(f"password of {email} changed")


@app.command()
def disable(email: Email, url: Url = None) -> None:
    """Disable a user; their sessions and keys stop working at once."""
    client = Client(url)
    client.request("DELETE", f"/api/v2/users/{_user_id(client, email)}")
    print(f"{email} is disabled")


@app.command()
def enable(email: Email, url: Url = None) -> None:
    """Enable a disabled user."""
    client = Client(url)
    user_id = _user_id(client, email)
    body = {"data": {"id": user_id, "type": "users", "attributes": {"disabled": False}}}
    client.request("PATCH", f"/api/v2/users/{user_id}", json=body)
    print(f"{email} is enabled")


def _asked_password() -> str:
    """Asked for twice at a terminal; else one line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    if line := sys.stdin.readline().rstrip("\r\n"):
        return line
    raise BadRequest("a password is needed: as a line of standard input, or in TOCSIN_NEW_PASSWORD")


def _user_id(client: Client, email: str) -> str:
    for answer in pages(client, "/api/v2/users", {"filter": email}):
        for user in answer["data"]:
            if user["attributes"]["email"].lower() == email.strip().lower():
                return str(user["id"])
    raise ServerError(404, f"no user has the e-mail {email}; `tocsin user list` shows all")


def _role_id(client: Client, name: str) -> str:
    roles = [role for answer in pages(client, "/api/v2/roles") for role in answer["data"]]
    for role in roles:
        if _word(role["attributes"]["name"]) == _word(name):
            return str(role["id"])
    names = ", ".join(role["attributes"]["name"] for role in roles)
    raise ServerError(404, f"no role is named {name}; there are: {names}")


def _word(name: str) -> str:
    """`Read-Only`, `read only` and `readonly` are the same role."""
    return "".join(c for c in name.lower() if c.isalnum())
