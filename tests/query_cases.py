"""Reads the text cases of `cases/query`: paragraphs with a comment, an event, queries and what they answer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "cases" / "query"

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


def asked(name: str) -> Iterator[tuple[str, str, dict[str, Any], str, str, str]]:
    """Comment, query, event, track, result and code of the error, if any."""
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
            yield comment, query, event, track, result, code
