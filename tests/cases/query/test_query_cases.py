"""The cases beside this file: paragraphs of plain text that anyone can add to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tocsin.query import QueryError, parse, print_query
from tocsin.query.evaluate import evaluate_lines

HERE = Path(__file__).parent

EVENT = {
    "timestamp": 1735689600000,
    "message": "Login failed for bob",
    "status": "error",
    "service": "sso",
    "source": "okta",
    "host": "web-7",
    "tags": ["env:prod", "team:iam", "crown_jewel"],
    "attributes": {
        "usr": {"id": "bob"},
        "network": {"client": {"ip": "198.51.100.7"}},
        "http": {"status_code": 401},
        "roles": ["dev", "oncall"],
    },
}
"""The event of search-syntax §1."""


def paragraphs(name: str) -> Iterator[tuple[str, list[str]]]:
    """Comment and lines of each paragraph; comments begin with `//`."""
    for paragraph in (HERE / name).read_text().split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        comment = " ".join(line[2:].strip() for line in lines if line.startswith("//"))
        rest = [line for line in lines if not line.startswith("//")]
        if rest and rest != [""]:
            yield comment, rest


def asked(name: str) -> Iterator[Any]:
    for comment, lines in paragraphs(name):
        event, track, queries = EVENT, "logs", []
        for line in lines[:-1]:
            if line.startswith("event "):
                event = json.loads(line.removeprefix("event "))
            elif line.startswith("track "):
                track = line.removeprefix("track ")
            else:
                queries.append("" if line == "empty" else line)
        result, _, code = lines[-1].partition(" ")
        for query in queries:
            yield pytest.param(query, event, track, result, code, id=f"{comment[:30]} {query[:40]}")


@pytest.mark.parametrize(("query", "event", "track", "result", "code"), [*asked("examples.txt"), *asked("answers.txt")])
def test_answers(query: str, event: dict[str, Any], track: str, result: str, code: str) -> None:
    line = json.dumps({"id": 1, "query": query, "event": event, "track": track})
    answer = json.loads(next(evaluate_lines([line])))
    assert (answer["result"], answer.get("error", {}).get("code", "")) == (result, code)


def test_all_normative_examples_are_here() -> None:
    numbers = {comment.split()[0] for comment, _ in paragraphs("examples.txt") if comment[:1].isdigit()}
    assert numbers == {str(number) for number in range(1, 72)}


@pytest.mark.parametrize("lines", [lines for _, lines in paragraphs("reading.txt")], ids=lambda lines: lines[0])
def test_reading_and_printing(lines: list[str]) -> None:
    text, printed = lines
    tree = parse(text)
    assert print_query(tree) == printed
    assert parse(printed) == tree


@pytest.mark.parametrize("lines", [lines for _, lines in paragraphs("errors.txt")], ids=lambda lines: lines[0])
def test_errors(lines: list[str]) -> None:
    text, where, fix = lines
    code, start, end = where.split()
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert (error.code, error.start, error.end) == (code, int(start), int(end)), error.message
    assert error.fix == (None if fix == "none" else fix)
    if error.fix is not None:
        parse(error.fix)


def test_every_code_of_the_parser_has_a_case() -> None:
    """`UNIT` needs facets, `TOO_LONG` and `TOO_DEEP` need room: they have tests of their own."""
    from tocsin.query import Code

    shown = {lines[1].split()[0] for _, lines in paragraphs("errors.txt")}
    assert shown == {code.value for code in Code} - {"UNIT", "TOO_LONG", "TOO_DEEP"}
