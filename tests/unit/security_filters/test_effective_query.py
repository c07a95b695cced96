"""What security filters add to a rule's query, against what siem.md §1.15 says of a log."""

from itertools import product

from tocsin.event import Event
from tocsin.query import parse, to_predicate
from tocsin.rule import Rule, RuleCase, RuleQuery
from tocsin.rules.executable import analysing
from tocsin.security_filters.effective import Exclusion, SecurityFilter, effective_query


def given(query: str, *exclusions: str, is_enabled: bool = True) -> SecurityFilter:
    return SecurityFilter("f", "f", query, is_enabled, False, tuple(Exclusion("e", text) for text in exclusions), 1)


EVENTS = [
    Event("", 0, source=source, service=service, tags=[f"env:{env}"])
    for source, service, env in product("ab", "xy", ("dev", "prod"))
]
QUERIES = ["*", "source:a", "source:a OR service:x", "env:prod service:y"]
EXCLUSIONS = [(), ("env:dev",), ("service:x", "source:b OR env:dev")]


def test_a_log_is_analysed_if_one_filter_accepts_it_and_does_not_exclude_it() -> None:
    filters = [
        given(query, *exclusions, is_enabled=is_enabled)
        for query, exclusions, is_enabled in product(QUERIES, EXCLUSIONS, (True, False))
    ]
    pairs = [[one, other] for one in filters for other in filters]
    for chosen in [*([one] for one in filters), *pairs[::7]]:
        text = effective_query(chosen)
        accepts = to_predicate(parse("*" if text is None else text))
        for event in EVENTS:
            expected = any(
                one.is_enabled
                and to_predicate(parse(one.query))(event)
                and not any(to_predicate(parse(exclusion.query))(event) for exclusion in one.exclusions)
                for one in chosen
            )
            assert accepts(event) == expected, (chosen, text, event)


def test_nothing_is_added_where_all_logs_are_analysed() -> None:
    assert effective_query([given("source:a"), given("*")]) is None
    assert effective_query([given("*", is_enabled=False)]) == "-*"
    assert effective_query([]) == "-*"


def test_only_queries_over_logs_are_narrowed() -> None:
    queries = (RuleQuery("a", "source:a"), RuleQuery("b", "*", data_source="security_signals"))
    rule = Rule("r", "r", "m", queries, (RuleCase("low", "a > 0"),))
    narrowed = analysing(rule, "(env:prod)")
    assert [query.full_query for query in narrowed.queries] == ["(source:a) AND (((env:prod)))", "*"]
    assert analysing(rule, None) is rule
