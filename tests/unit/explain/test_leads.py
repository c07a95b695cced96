"""Whom a signal is about, and what there is to read about it."""

import pytest

from tocsin.explain.leads import entity, reading
from tocsin.query import parse
from tocsin.rule import Rule


def rule(message: str, *tags: str, custom_message: str | None = None) -> Rule:
    return Rule("abc-def-123", "Door rattled", message, (), (), tags=tags, custom_message=custom_message)


@pytest.mark.parametrize(
    ("text", "kind", "attribute", "value"),
    [
        ("@usr.id:bob", "user", "@usr.id", "bob"),
        ("@userIdentity.arn:arn:aws:iam::1:user/x", "user", "@userIdentity.arn", "arn:aws:iam::1:user/x"),
        ("host:web-7", "host", "host", "web-7"),
        ("@network.client.ip:2001:db8::1", "ip_address", "@network.client.ip", "2001:db8::1"),
        ("@dns.question.name:example.com", "domain", "@dns.question.name", "example.com"),
        ("@bucket:logs", "other", "@bucket", "logs"),
    ],
)
def test_an_entity_is_told_apart(text: str, kind: str, attribute: str, value: str) -> None:
    found = entity(text)
    assert (found["id"], found["kind"], found["attribute"], found["value"]) == (text, kind, attribute, value)


@pytest.mark.parametrize("value", ['" OR *', "a\\", "(x", "*", 'a" -b:"'])
def test_a_hostile_value_is_one_value_of_its_search(value: str) -> None:
    """As the text in quotes, which holds whatever the sender wrote."""
    query = str(entity(f"@usr.id:{value}")["query"])
    assert parse(query) == parse('@usr.id:"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"')
    assert query.startswith('@usr.id:"')
    assert "Or" not in type(parse(query)).__name__


def test_what_the_author_names_is_read_first_then_the_techniques() -> None:
    found = reading(
        rule(
            "See [the notes](https://example.com/notes) and https://example.org/a_b, (http://example.net/x).\n"
            "- https://example.com/notes\n- ftp://example.com/no\n- [here](javascript:alert(1))",
            "technique:T1110-brute-force",
            "technique:T1110.003-password-spraying",
            "technique:T9999-none",
            "team:soc",
        )
    )
    assert found == [
        ("the notes", "https://example.com/notes"),
        ("https://example.org/a_b", "https://example.org/a_b"),
        ("http://example.net/x", "http://example.net/x"),
        ("MITRE ATT&CK T1110: Brute Force", "https://attack.mitre.org/techniques/T1110"),
        ("MITRE ATT&CK T1110.003: Password Spraying", "https://attack.mitre.org/techniques/T1110/003"),
    ]


def test_an_address_with_an_event_s_words_in_it_is_no_reading() -> None:
    assert reading(rule("Ask https://example.com/?q={{@usr.id}} or [it](https://example.com/{{host}})")) == []


def test_the_message_of_one_s_own_counts() -> None:
    assert reading(rule("https://example.com/a", custom_message="https://example.com/b")) == [
        ("https://example.com/b", "https://example.com/b")
    ]
