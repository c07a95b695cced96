"""Rules over signals, and over logs and signals together, in a real browser: previewed, scheduled, and led on from."""

import re
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from api_server import ADMIN, PASSWORD, client_for, serve_services
from browser import Person, violations_in_both_themes
from playwright.sync_api import Browser, expect
from waiting import PATIENCE, until

pytestmark = [pytest.mark.system, pytest.mark.browser]

RULES = "/api/v2/security_monitoring/rules"
BY_USER = {"groupByFields": ["@usr.id"]}


def rule(name: str, condition: str, *queries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "message": "m",
        "isEnabled": True,
        "queries": list(queries),
        "cases": [{"status": "high", "condition": condition}],
        "options": {"evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600},
        **more,
    }


@pytest.fixture
def somebody(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, dict[str, str]]]:
    """The administrator of a server with one signal each of a rule over logs, of correlation, and of a mixed rule; the
    ids of the rules."""
    with serve_services(tmp_path_factory.mktemp("signals")) as (url, services), client_for(url) as client:
        stop = threading.Event()
        engine = threading.Thread(target=services.engine.run, args=(stop,), daemon=True)
        engine.start()

        def create(body: dict[str, Any]) -> str:
            return str(client.post(RULES, json=body).json()["id"])

        ids = {"door": create(rule("Door", "a > 1", {"query": "source:door", **BY_USER}))}
        named = {"ruleId": ids["door"], "aggregation": "event_count", "correlatedByFields": ["@usr.id"]}
        ids["correlation"] = create(rule("Correlated", "a > 0", named, type="signal_correlation"))
        search = {"query": "status:high", "dataSource": "security_signals", **BY_USER}
        ids["mixed"] = create(rule("Mixed", "a > 0 && b > 0", {"query": "source:key", **BY_USER}, search))
        logs = [{"ddsource": source, "message": source, "usr": {"id": "eve"}} for source in ("door", "key")]
        assert client.post("/api/v2/logs", json=[logs[0], {**logs[0], "n": 2}, logs[1]]).status_code == 202

        def raised() -> int:
            asked = {"filter": {"query": "@workflow.rule.name:(Correlated OR Mixed)", "from": "now-1h", "to": "now+1h"}}
            return len(client.post("/api/v2/security_monitoring/signals/search", json=asked).json()["data"])

        until(raised, lambda count: count == 2)
        person = Person(browser, SimpleNamespace(url=url))  # type: ignore[arg-type]
        person.enter(ADMIN, PASSWORD)
        yield person, ids
        assert person.errors == []
        person.context.close()
        stop.set()
        engine.join(PATIENCE)


def test_rules_over_signals_are_previewed_and_scheduled(somebody: tuple[Person, dict[str, str]]) -> None:
    person, ids = somebody
    page = person.open(f"/rules/{ids['correlation']}")
    preview = page.get_by_role("complementary", name="Preview")
    expect(preview).to_contain_text("Over stored signals")
    expect(preview.get_by_role("heading", name=re.compile("^1 signal"))).to_be_visible()
    runs = page.get_by_role("radiogroup", name="When the rule looks at signals")
    runs.get_by_text("On a schedule").click()
    expect(page.get_by_text("A run looks at the signals since the run before it")).to_be_visible()
    expect(page.get_by_role("heading", name="Calculated fields")).to_have_count(0)
    assert violations_in_both_themes(person) == {}
    runs.get_by_text("As signals come in").click()
    preview.get_by_title("Signals that the query a finds").click()
    expect(page).to_have_url(re.compile(rf"/signals\?.*{ids['door']}"))
    expect(page.get_by_text("Door").first).to_be_visible()


def test_a_rule_over_both_counts_each_where_it_is_found(somebody: tuple[Person, dict[str, str]]) -> None:
    person, ids = somebody
    page = person.open(f"/rules/{ids['mixed']}")
    preview = page.get_by_role("complementary", name="Preview")
    expect(preview).to_contain_text("Over stored events")
    listed = preview.get_by_role("list", name="Signals that the rule would have raised")
    expect(listed.get_by_title("No search finds logs and signals together")).to_have_text("2")
    expect(preview.get_by_title("Logs that the query a finds")).to_have_attribute("href", re.compile(r"/logs\?.*key"))
    expect(preview.get_by_title("Signals that the query b finds")).to_have_attribute("href", re.compile(r"/signals\?"))
    page.goto(f"{page.url.split('/rules/')[0]}/rules/web-l4j-223")
    expect(page.get_by_text("Log4Shell.", exact=True).first).to_be_visible()
