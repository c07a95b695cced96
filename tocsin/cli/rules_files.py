"""`tocsin rules export`, `diff`, `apply`: rules that live in files."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from tocsin.cli.client import Client, pages
from tocsin.cli.output import note
from tocsin.cli.rules_plan import PATH, carry_out, plan_of, show
from tocsin.errors import BadRequest

RULES = PATH.removesuffix("/apply")

Places = Annotated[list[Path], typer.Argument(help="Rule files (YAML or JSON), or directories of them.")]
Url = Annotated[str | None, typer.Option(help="The server's address.")]


def export(
    directory: Annotated[Path, typer.Argument(help="Where the files go; made if it is not there.")],
    query: Annotated[str, typer.Option(help="Which rules, as in the rule list; all custom ones by default.")] = (
        "origin:custom"
    ),
    url: Url = None,
) -> None:
    """Write rules to files, one each: YAML. A rule whose file is there already keeps its file, the file's format, and
    the tests in it."""
    from tocsin.rules.files import file_name, write_rule

    there = {given["id"]: (path, given) for path, given in _documents([directory])} if directory.is_dir() else {}
    directory.mkdir(parents=True, exist_ok=True)
    written = 0
    for page in pages(Client(url), RULES, {"query": query}):
        for body in page["data"]:
            path, given = there.get(body["id"], (directory / file_name(body), {}))
            try:
                write_rule(path, body, given.get("tests"))
            except TypeError as error:
                raise BadRequest(f"{path}: {error}") from error
            written += 1
    note(f"{written:,} rules written to {directory}")


def diff(places: Places, url: Url = None) -> None:
    """Show what `apply` would do, member by member; exits with 1 if that is anything at all."""
    plan = plan_of(Client(url), _bodies(places))
    show(plan)
    for each in plan:
        for change in each["changes"]:
            print(f"{each['id']} {change['type']} {change['field']}: {change['change']}")
    if any(each["action"] != "unchanged" for each in plan):
        raise typer.Exit(1)


def apply(
    places: Places,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the plan is carried out.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    url: Url = None,
) -> None:
    """Bring the server's rules to what the files say: created or changed by their ids, none deleted.

    Harmless when repeated.
    """
    carry_out(Client(url), _bodies(places), yes=yes, dry_run=dry_run)


def _bodies(places: list[Path]) -> list[dict[str, Any]]:
    """The rules of the files, as they are sent: of their tests those of single events, which the server keeps too.

    Raises `BadRequest` for a file that is none, or an id given twice.
    """
    from tocsin.rules.samples import read_tests

    found: dict[str, dict[str, Any]] = {}
    for path, document in _documents(places):
        if document["id"] in found:
            raise BadRequest(f"{path}: another file has the id {document['id']} as well")
        try:
            tests = read_tests(document.get("tests"))
        except BadRequest as error:
            raise BadRequest(f"{path}: {error}") from error
        body = {name: value for name, value in document.items() if name != "tests"}
        body |= {"tests": tests.as_api()} if tests.singles else {}
        try:
            # As JSON has it: YAML knows dates, which the API takes as texts.
            found[document["id"]] = orjson.loads(orjson.dumps(body))
        except TypeError as error:
            raise BadRequest(f"{path}: {error}") from error
    if not found:
        raise BadRequest(f"no rule file (.yaml, .yml, .json) in {', '.join(map(str, places))}")
    return list(found.values())


def _documents(places: list[Path]) -> list[tuple[Path, dict[str, Any]]]:
    from tocsin.rules.shipped import SUFFIXES, load_document

    found = []
    for place in places:
        if not place.exists():
            raise BadRequest(f"{place} is not there")
        paths = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.suffix in SUFFIXES)
        for path in paths:
            document = load_document(path)
            if not isinstance(document, dict) or not isinstance(document.get("id"), str):
                raise BadRequest(f"{path}: a rule is an object with id, name, message, queries, …")
            found.append((path, document))
    return found
