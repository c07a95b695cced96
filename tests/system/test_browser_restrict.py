"""Leaving a rule and a suppression to some people, and what others see of it, in a real browser."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from browser import Person, entered, make_account, violations, violations_in_both_themes
from playwright.sync_api import Browser, expect
from server import ADMIN_EMAIL, Server

pytestmark = [pytest.mark.system, pytest.mark.browser]

RULES = "/api/v2/security_monitoring/rules"
SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions"
ENGINEER, PASSWORD = "engineer@example.com", "writes rules all day"
ONLY_ADMIN = f"Restricted: only {ADMIN_EMAIL} may change it"

RULE: dict[str, Any] = {
    "type": "log_detection",
    "name": "Vault rattled",
    "isEnabled": True,
    "message": "m",
    "queries": [{"query": "source:vault"}],
    "cases": [{"name": "much", "status": "high", "condition": "a > 5"}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600},
}


@pytest.fixture(scope="module")
def engineers_account(web_server: Server) -> None:
    """Somebody who may write rules and suppressions, but manages no people."""
    make_account(web_server, ENGINEER, PASSWORD, "Detection Engineer")


@pytest.fixture
def engineer(browser: Browser, web_server: Server, engineers_account: None) -> Iterator[Person]:
    with entered(browser, web_server, ENGINEER, PASSWORD, "light") as person:
        yield person


@pytest.fixture
def rule(web_server: Server) -> Iterator[str]:
    made = str(web_server.post(RULES, RULE)["id"])
    yield made
    assert httpx.delete(f"{web_server.url}{RULES}/{made}", headers=web_server.headers).is_success


@pytest.fixture
def suppression(web_server: Server, rule: str) -> Iterator[str]:
    wanted = {"name": "Vault drill", "enabled": True, "rule_query": f"ruleId:{rule}", "suppression_query": "host:v"}
    made = str(web_server.post(SUPPRESSIONS, {"data": {"type": "suppressions", "attributes": wanted}})["data"]["id"])
    yield made
    assert httpx.delete(f"{web_server.url}{SUPPRESSIONS}/{made}", headers=web_server.headers).is_success


def test_a_rule_is_left_to_some_and_given_back(ana: Person, engineer: Person, rule: str) -> None:
    page = ana.open(f"/rules/{rule}")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Restrict access …").click()
    dialog = page.get_by_role("dialog", name="Restrict access")
    expect(dialog.get_by_text(ADMIN_EMAIL)).to_be_visible()
    field = dialog.get_by_role("combobox", name="Roles and people")
    field.fill("analyst")
    page.get_by_role("option", name="Security Analyst").click()
    expect(dialog.get_by_text("Security Analyst")).to_be_visible()
    field.press("Backspace")
    expect(dialog.get_by_text("Security Analyst")).to_have_count(0)
    field.press("Tab")
    expect(page.get_by_role("option")).to_have_count(0)
    assert violations_in_both_themes(ana) == {}
    dialog.get_by_role("button", name="Restrict to these").click()
    expect(page.get_by_role("main").get_by_role("img", name=ONLY_ADMIN)).to_be_visible()

    theirs = engineer.open("/rules?query=vault")
    expect(theirs.get_by_role("img", name=ONLY_ADMIN)).to_be_visible()
    expect(engineer.switch("Vault rattled")).to_be_disabled()
    expect(theirs.get_by_role("group", name=ONLY_ADMIN)).to_be_visible()
    assert violations(theirs) == []
    theirs.get_by_role("checkbox", name="Tick Vault rattled").check()
    ticked = theirs.get_by_role("region", name="Ticked rules")
    expect(ticked.get_by_text("1 of them is restricted to others")).to_be_visible()
    expect(ticked.get_by_role("button")).to_have_text(["Export", "Clear"])
    engineer.open(f"/rules/{rule}")
    expect(theirs.get_by_text(ONLY_ADMIN)).to_be_visible()
    expect(theirs.get_by_role("tab", name="View")).to_be_visible()
    expect(theirs.get_by_role("tab", name="Edit")).to_have_count(0)
    theirs.get_by_role("button", name="More", exact=True).click()
    expect(theirs.get_by_role("menuitem", name="Clone")).to_be_visible()
    expect(theirs.get_by_role("menuitem", name="Delete …")).to_have_count(0)
    theirs.get_by_role("menuitem", name="Who may change it …").click()
    told = theirs.get_by_role("dialog", name="Restrict access")
    expect(told.get_by_text(ONLY_ADMIN)).to_be_visible()
    expect(told.get_by_role("button", name="Take over")).to_have_count(0)

    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Restrict access …").click()
    dialog.get_by_role("button", name="Lift the restriction").click()
    expect(page.get_by_role("main").get_by_role("img", name=ONLY_ADMIN)).to_have_count(0)
    engineer.open("/rules?query=vault")
    expect(engineer.switch("Vault rattled")).to_be_enabled()


def test_a_suppression_is_left_to_some_and_taken_over(ana: Person, engineer: Person, suppression: str) -> None:
    theirs = engineer.open(f"/suppressions?query=vault&open={suppression}")
    panel = theirs.get_by_role("complementary", name="Suppression: Vault drill")
    panel.get_by_role("button", name="Restrict access …").click()
    dialog = theirs.get_by_role("dialog", name="Restrict access")
    dialog.get_by_role("button", name="Restrict to these").click()
    only_engineer = f"Restricted: only {ENGINEER} may change it"
    expect(theirs.get_by_role("img", name=only_engineer)).to_be_visible()
    expect(panel.get_by_role("button", name="Save")).to_be_visible()

    page = ana.open(f"/suppressions?query=vault&open={suppression}")
    mine = page.get_by_role("complementary", name="Suppression: Vault drill")
    expect(mine.get_by_text(only_engineer)).to_be_visible()
    expect(mine.get_by_role("button", name="Save")).to_have_count(0)
    expect(ana.switch("Vault drill")).to_be_disabled()
    assert violations_in_both_themes(ana) == {}
    mine.get_by_role("button", name="Who may change it …").click()
    page.get_by_role("dialog", name="Restrict access").get_by_role("button", name="Take over").click()
    expect(mine.get_by_role("button", name="Save")).to_be_visible()
    expect(ana.switch("Vault drill")).to_be_enabled()
