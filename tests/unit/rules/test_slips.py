"""A search of rules that finds none says what was probably meant."""

import pytest

from tocsin.rule import Rule, RuleCase
from tocsin.rules.listing import matching, slips

RULES = [
    Rule("r1", "Door", "m", (), (RuleCase("low"),), tags=("tactic:TA0006-credential-access", "source:okta")),
    Rule("r2", "Window", "m", (), (RuleCase("low"),), is_enabled=False, tags=("source:sshd",)),
]


@pytest.mark.parametrize(
    ("query", "message", "fix"),
    [
        ("severity:hihg", "no rule has severity:hihg: did you mean high?", "severity:high"),
        ("okta severty:low", "no rule has severty:low: did you mean severity:?", "okta severity:low"),
        ("source:oktaa door", "no rule has source:oktaa: did you mean okta?", "source:okta door"),
        ("enabled:no", "no rule has enabled:no: there are false, true", None),
        ("SOURCE:zzz", "no rule has SOURCE:zzz: there are okta, sshd", None),
        ("colour:blue", "no rule has colour:blue", None),
    ],
)
def test_a_slip_is_told(query: str, message: str, fix: str | None) -> None:
    assert matching(RULES, query) == []
    (hint,) = slips(RULES, query)
    assert (hint.message, hint.fix) == (message, fix)
    assert query[hint.start : hint.end] in message


@pytest.mark.parametrize("query", ["", "nothing", "severity:critical", "source:okta window", "@a:b", "source:z*"])
def test_what_is_no_slip_is_not_corrected(query: str) -> None:
    assert slips(RULES, query) == []
