"""`tocsin rules import`: Sigma rules onto a server, with the plan first."""

from pathlib import Path
from typing import Annotated

import typer

from tocsin.cli.client import Client
from tocsin.cli.output import note
from tocsin.cli.rules_eval import report_refused
from tocsin.cli.rules_plan import carry_out
from tocsin.errors import BadRequest


def import_rules(
    place: Annotated[Path, typer.Argument(help="A Sigma rule, a directory of them, or an archive (tar, zip).")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the plan is carried out.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    licence: Annotated[str, typer.Option(help="The licence of rules that name none.")] = "",
    link: Annotated[str, typer.Option(help="Where the rule set is published.")] = "",
    url: Annotated[str | None, typer.Option(help="The server's address.")] = None,
) -> None:
    """Take over Sigma rules unchanged; each one that cannot be taken is listed with its reason.

    Harmless when repeated: a rule keeps its id, and who enabled or disabled it here is not overruled.
    """
    from tocsin.rules.sigma.collection import import_sigma
    from tocsin.rules.sigma.convert import Origin
    from tocsin.rules.sigma.files import read_files

    origin = Origin(licence, link) if licence or link else None
    found = import_sigma(read_files(place), origin)
    if not (found.rules or found.refused):
        raise BadRequest(f"{place} holds no Sigma rule (.yml, .yaml)")
    report_refused(found.refused)
    counts = f"{len(found.rules):,} rules can be taken, {len(found.refused):,} cannot"
    if found.only_correlated:
        counts += f", {len(found.only_correlated):,} are only parts of correlations"
    note(counts)
    bodies = [{name: value for name, value in made.body.items() if name != "isEnabled"} for made in found.rules]
    carry_out(Client(url), bodies, yes=yes, dry_run=dry_run)
