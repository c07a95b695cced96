"""`tocsin rules test`: the events and timelines that rule files carry, against what they say of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from tocsin.cli.output import note, printable
from tocsin.cli.rules_eval import report_refused
from tocsin.errors import BadRequest, TocsinError

FAILED = 1
BROKEN = 2


def test(
    places: Annotated[list[Path], typer.Argument(help="Rules, ours or Sigma's: files, directories, archives.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each rule.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name the rules that pass, too.")] = False,
) -> None:
    """Run each rule's own tests: single events, and events over time with the signals that they must raise.

    Needs no server: records go through the shipped pipelines, the matcher and the evaluation that live logs go through.
    Exits with 1 if a test fails, with 2 if a file or a test cannot be read.
    """
    tested = failed = broken = untested = 0
    for body in _reports(places):
        outcome = body["outcome"]
        tested += outcome in ("passed", "failed")
        failed += outcome == "failed"
        broken += outcome == "broken"
        untested += outcome == "no tests"
        if as_json:
            print(orjson.dumps({name: value for name, value in body.items() if name != "lines"}).decode())
        elif verbose or outcome in ("failed", "broken"):
            _print(body)
    parts = [f"{tested - failed} of {tested} rules pass"]
    parts += [f"{untested} have no tests"] if untested else []
    parts += [f"{broken} cannot be read"] if broken else []
    note(", ".join(parts))
    if failed or broken:
        raise typer.Exit(BROKEN if broken else FAILED)


def _reports(places: list[Path]) -> Iterator[dict[str, Any]]:
    from tocsin.bootstrap import content_directory, event_from_record  # here, so that no other command waits for it
    from tocsin.explain import tests as told
    from tocsin.rules.checking import RuleTester
    from tocsin.rules.ruleset import split_files
    from tocsin.rules.shape import rule_from_api
    from tocsin.rules.shipped import load_document, read_rule_file, read_shipped
    from tocsin.rules.sigma.collection import import_sigma

    ours, sigma, read, errors = [], [], [], []
    for place in places:
        if not place.exists():
            raise BadRequest(f"{place} is not there")
        files, theirs = split_files(place)
        if not (files or theirs):
            raise BadRequest(f"{place} holds no rule file (.yaml, .yml, .json)")
        ours += files
        sigma += theirs
    for path in ours:
        try:
            read.append((path, read_rule_file(str(path), load_document(path))))
        except TocsinError as error:
            errors.append({"file": str(path), "outcome": "broken", "lines": [str(error)], "error": str(error)})
    yield from errors
    given = {path.resolve() for path in ours}
    shipped = read_shipped(content_directory() / "rules", but=given)
    known = {one.id: rule_from_api(one.body, rule_id=one.id) for one in (*shipped, *(rule for _, rule in read))}
    tester = RuleTester(event_from_record, known)
    for path, one in read:
        body: dict[str, Any] = {"file": str(path), "rule": one.id, "name": one.body["name"]}
        if not one.tests:
            yield body | {"outcome": "no tests", "lines": []}
            continue
        try:
            results = tester.run(known[one.id], one.tests)
        except TocsinError as error:
            yield body | {"outcome": "broken", "error": str(error), "lines": [str(error)]}
            continue
        lines = []
        for result in results:
            if not result.passed:
                lines.append(f"✗ {result.name}")
                lines += [f"    {line}" for line in told.failure(result)]
        outcome = "failed" if lines else "passed"
        tests = [told.as_json(result) for result in results]
        yield body | {"outcome": outcome, "tests": tests, "lines": lines or [told.summary(results)]}
    if sigma:
        imported = import_sigma(sigma)
        report_refused([refused for refused in imported.refused if refused.is_read])
        for refused in imported.refused:
            if not refused.is_read:
                yield {"file": refused.path, "outcome": "broken", "error": refused.reason, "lines": [refused.reason]}
        for made in imported.rules:
            named = {"file": made.path, "rule": made.sigma_id, "name": made.body["name"]}
            yield named | {"outcome": "no tests", "lines": []}


def _print(body: dict[str, Any]) -> None:
    name = f"{body['rule']} {body['name']}" if "rule" in body else body["file"]
    print(printable(f"{body['outcome']}: {name} ({body['file']})" if "rule" in body else f"{body['outcome']}: {name}"))
    for line in body["lines"]:
        print(printable(f"  {line}"))
