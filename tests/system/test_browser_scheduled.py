"""The schedule of a rule and its runs, in a real browser, on a server whose clock the test turns."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from api_server import ADMIN, PASSWORD, MovableClock, client_for, run_what_is_due, serve_services
from browser import Person, violations_in_both_themes
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.system, pytest.mark.browser]

RULE: dict[str, Any] = {
    "name": "Cellar opened at night",
    "message": "m",
    "isEnabled": True,
    "queries": [{"query": "source:cellar", "groupByFields": ["@usr.id"]}],
    "cases": [{"status": "low", "condition": "a > 1"}],
    "options": {"evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600},
    "schedulingOptions": {"rrule": "FREQ=MINUTELY;INTERVAL=5", "start": "2025-06-17T12:00:00", "timezone": "UTC"},
}


@pytest.fixture
def somebody(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Person, MovableClock, Any, str]]:
    """The administrator of a server with a scheduled rule; the rule's id."""
    clock = MovableClock()
    with serve_services(tmp_path_factory.mktemp("schedule"), clock) as (url, services), client_for(url) as client:
        rule = client.post("/api/v2/security_monitoring/rules", json=RULE).json()["id"]
        logs = [{"ddsource": "cellar", "message": "a door", "usr": {"id": "eve"}, "n": n} for n in range(3)]
        assert client.post("/api/v2/logs", json=logs).status_code == 202
        person = Person(browser, SimpleNamespace(url=url))  # type: ignore[arg-type]
        person.enter(ADMIN, PASSWORD)
        yield person, clock, services, rule
        assert person.errors == []
        person.context.close()


def test_a_schedule_tells_its_next_and_its_last_runs(somebody: tuple[Person, MovableClock, Any, str]) -> None:
    person, clock, services, rule = somebody
    page = person.open(f"/rules/{rule}?tab=schedule")
    schedule = page.get_by_role("region", name="Schedule")
    expect(schedule).to_contain_text("Every 5 minutes, UTC, from 2025-06-17 12:00:00")
    expect(schedule).to_contain_text("It has not run yet")
    expect(schedule.get_by_role("list", name="Next runs").get_by_role("listitem")).to_have_count(5)
    clock.ahead += 8 * 60_000
    run_what_is_due(services)
    while services.engine.step():
        pass
    page.reload()
    run = schedule.get_by_role("row").nth(1)
    expect(run).to_contain_text("completed")
    assert violations_in_both_themes(person) == {}
    run.get_by_role("link", name="3", exact=True).click()
    expect(page).to_have_url(re.compile(r"/logs\?.*cellar"))
    page.go_back()
    run.get_by_role("link", name="Signals").click()
    expect(page.get_by_text("Cellar opened at night").first).to_be_visible()
