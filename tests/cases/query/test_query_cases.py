"""The cases beside this file: paragraphs of plain text that anyone can add to."""

import json
from typing import Any

import pytest
from query_cases import asked, paragraphs

from tocsin.query import Code, QueryError, parse, print_query
from tocsin.query.evaluate import evaluate_lines

CASES = [
    pytest.param(query, *rest, id=f"{comment[:30]} {query[:40]}")
    for name in ("examples.txt", "answers.txt")
    for comment, query, *rest in asked(name)
]


@pytest.mark.parametrize(("query", "event", "track", "result", "code"), CASES)
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
    shown = {lines[1].split()[0] for _, lines in paragraphs("errors.txt")}
    assert shown == {code.value for code in Code} - {"UNIT", "TOO_LONG", "TOO_DEEP"}
