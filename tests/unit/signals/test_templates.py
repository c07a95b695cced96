"""Titles and messages: every variable and helper of siem.md §2.25, and what attackers may put into values."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.signals.templates import Facts, check_template, render

FACTS = Facts(
    severity=3,
    timestamp=1_898_949_600_123,
    first_seen=1_898_949_000_000,
    last_seen=1_898_949_600_000,
    rule_name="Brute force",
    case_name="then success",
    events_matched=57,
    events_matched_per_query={"failed": 56, "ok": 1},
    attributes={
        "usr.id": ["bob smith"],
        "network.client.ip": ["203.0.113.9"],
        "http.status_code": [403],
        "many": [f"v{n}" for n in range(15)],
        "at": [1_898_949_600_000],
        "ratio": [0.5],
        "false": [False],
    },
    tags={"team": ["infra"], "env": ["prod", "dev"], "host": ["web-1"], "dotted.key": ["yes"]},
)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("{{severity}}", "3"),
        ("{{timestamp}}", "Tue Mar 05 14:00:00 UTC 2030"),
        ("{{first_seen}}", "Tue Mar 05 13:50:00 UTC 2030"),
        ("{{last_seen}}", "Tue Mar 05 14:00:00 UTC 2030"),
        ("{{timestamp_epoch}} {{first_seen_epoch}}", "1898949600123 1898949000000"),
        ("{{ last_seen_epoch }}", "1898949600000"),
        ("{{rule_name}}: {{case_name}}", "Brute force: then success"),
        ("{{events_matched}} of which {{events_matched_per_query.failed}}", "57 of which 56"),
        ("{{events_matched_per_query.none}}", ""),
        ("{{@usr.id}}", "bob smith"),
        ("{{@http.status_code}} {{@ratio}}", "403 0.5"),
        ("{{@many}}", "v0, v1, v2, v3, v4, v5, v6, v7, v8, v9"),
        ("[{{@unknown}}{{unknown}}{{unknown.name}}]", "[]"),
        ("{{team}} {{team.name}} {{env}} {{host.name}}", "infra infra prod, dev web-1"),
        ("{{[dotted.key].name}}", "yes"),
        ("@slack-sec-{{team.name}}", "@slack-sec-infra"),
        ('{{eval "last_seen_epoch-600000"}}', "1898949000000"),
        ('{{eval "(last_seen_epoch - first_seen_epoch) / 1000"}}', "600"),
        ('{{eval "1 / 4"}} {{eval "2 * -3"}}', "0.25 -6"),
        ('{{eval "last_seen_epoch - first_seen_epoch"}} {{eval "-events_matched"}} {{eval severity}}', "600000 -57 3"),
        ("{{rule.name}} is {{rule_name}}", "Brute force is Brute force"),
        ('[{{eval "1 / 0"}}{{eval "nothing + 1"}}{{eval "usr.id * 2"}}]', "[]"),
        ('{{eval "@http.status_code + 1"}} {{eval "http.status_code + 1"}}', "404 404"),
        ('{{local_time "last_seen" "Europe/Paris"}}', "2030-03-05 15:00:00+01:00"),
        ('{{local_time "last_seen_epoch" "America/New_York"}}', "2030-03-05 09:00:00-05:00"),
        ('{{local_time "at" "Asia/Kolkata"}}', "2030-03-05 19:30:00+05:30"),
        ('[{{local_time "usr.id" "UTC"}}]', "[]"),
        ('{{urlencode "usr.id"}} {{urlencode "@usr.id"}}', "bob%20smith bob%20smith"),
        ('{{#is_match "usr.id" "bob"}}yes{{/is_match}}', "yes"),
        ('{{#is_match "usr.id" "eve"}}yes{{/is_match}}', ""),
        ('{{#is_match "usr.id" "eve" "smith"}}yes{{/is_match}}', "yes"),
        ('{{^is_match "usr.id" "eve"}}no{{/is_match}}', "no"),
        ('{{#is_match "team.name" "inf"}}yes{{/is_match}}', "yes"),
        ('{{#is_exact_match "usr.id" "bob"}}yes{{else}}no{{/is_exact_match}}', "no"),
        ('{{#is_exact_match "usr.id" "bob smith"}}yes{{/is_exact_match}}', "yes"),
        ('{{#is_exact_match "nothing" ""}}empty{{/is_exact_match}}', "empty"),
        ('{{^is_exact_match "usr.id" "bob"}}not bob{{/is_exact_match}}', "not bob"),
        ("{{#if @usr.id}}has{{/if}}{{#if @none}}none{{/if}}{{#if @false}}false{{/if}}", "has"),
        ('{{#if @usr.id}}{{#is_match "env" "prod"}}both{{/is_match}}{{/if}}', "both"),
        ("{{{{raw}}}}{{@usr.id}}{{{{/raw}}}}", "{{@usr.id}}"),
        ("{{{@usr.id}}}", "bob smith"),
        ("a { b } {{", "a { b } {{"),
    ],
)
def test_renders(template: str, expected: str) -> None:
    assert render(template, FACTS) == expected
    assert check_template(template) == []


@pytest.mark.parametrize(
    ("template", "message", "start"),
    [
        ("a {{#if @x}} b", "never closed", 2),
        ("a {{/if}}", "closes nothing", 2),
        ("{{#if @x}}{{/is_match}}", "closes nothing", 10),
        ("{{#each x}}{{/each}}", "unknown block 'each'", 0),
        ("{{#if}}x{{/if}}", "takes a name", 0),
        ('{{#is_match "x"}}x{{/is_match}}', "takes a name and a text", 0),
        ('{{eval "1 +"}}', "cannot calculate", 0),
        ("{{eval}}", "takes 1", 0),
        ('{{local_time "x" "Mars/Base"}}', "unknown time zone", 0),
        ("ab {{nonsense here}}", "unknown helper 'nonsense'", 3),
    ],
)
def test_wrong_templates_are_named_with_their_place(template: str, message: str, start: int) -> None:
    (problem,) = check_template(template)
    assert message in problem.message
    assert problem.start == start


@pytest.mark.parametrize("template", ["a {{#if @x}} b", '{{eval "1 +"}}', '{{local_time "last_seen" "Mars/Base"}}'])
def test_broken_template_is_shown_as_written_with_a_note(template: str) -> None:
    text = render(template, FACTS)
    assert text.startswith(template)
    assert "cannot be rendered" in text
    assert render(template, FACTS, markdown=False) == template


def rendered(value: Any, template: str = "user {{@x}}", **options: Any) -> str:
    return render(template, Facts(0, 0, 0, 0, "", "", 0, {}, {"x": [value]}), **options)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<script>alert(1)</script>", r"user \<script\>alert\(1\)\</script\>"),
        ("[click](http://evil)", r"user \[click\]\(http\://evil\)"),
        ("@slack-all hello", r"user \@slack-all hello"),
        ("**bold** _it_ `code`", r"user \*\*bold\*\* \_it\_ \`code\`"),
        ("a\n# heading\n", r"user a \# heading"),
        ("www.evil.example", r"user www\.evil.example"),
        ("&lt;", r"user \&lt;"),
        ("{{@y}}", r"user \{\{\@y\}\}"),
        ("203.0.113.9", "user 203.0.113.9"),
        ("a\u202eb\u0000c", "user a b c"),
    ],
)
def test_values_cannot_become_markup(value: str, expected: str) -> None:
    assert rendered(value) == expected


def test_values_in_code_stay_readable_and_cannot_leave_it() -> None:
    assert rendered("bob_smith", "run `id {{@x}}` now {{@x}}") == r"run `id bob_smith` now bob\_smith"
    assert rendered("a`b", "`{{@x}}`") == "`a'b`"
    assert rendered("x_y", "```\nid {{@x}}\n\n{{@x}}\n```\n{{@x}}") == "```\nid x_y\n\nx_y\n```\nx\\_y"
    assert rendered("x_y", "an odd ` tick\n\n{{@x}}") == "an odd ` tick\n\nx\\_y"


def test_title_is_one_plain_line() -> None:
    assert rendered("a\nb <x>", "Login\n{{@x}}", markdown=False) == "Login a b <x>"


HANDLE = re.compile(r"(?<!\\)@[\w.-]")


@given(st.text(alphabet=st.sampled_from("ab@`*_[]()<>!\\\n# {}:/.w-=~|&+$"), max_size=30))
def test_no_value_introduces_a_handle_or_a_tag(value: str) -> None:
    text = rendered(value, "x {{@x}} y")
    assert not HANDLE.search(text.replace("\\\\", ""))
    assert not re.search(r"(?<!\\)[<`\[*_]", text.replace("\\\\", ""))


pieces = st.sampled_from(
    ["²", "severity", "{{", "}}", "{{#if @usr.id}}", "{{/if}}", "{{else}}", '{{eval "',
     '1-("', "{{^is_match", ' "x"', "{{{{raw}}}}",
     "{{@usr.id}}", '{{local_time "at" "', "UTC", '{{urlencode "', "`", "text", "\n", "[", "]", "{{[",
     '{{#is_match "a" "b"}}']
)  # fmt: skip


def test_what_we_did_not_foresee_stops_nobody() -> None:
    odd: Any = [{"a": object}]
    said = render("x {{@odd}}", replace(FACTS, attributes={"odd": odd}))
    # which mistake it is depends on whether this runs compiled
    assert said.startswith("x {{@odd}}") and "our own mistake: " in said


@given(st.lists(pieces, max_size=12).map("".join))
def test_no_template_raises(template: str) -> None:
    assert isinstance(render(template, FACTS), str)
    assert isinstance(render(template, FACTS, markdown=False), str)
    for problem in check_template(template):
        assert 0 <= problem.start <= problem.end <= len(template)
