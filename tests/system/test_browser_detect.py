"""The ATT&CK map, the coverage of rules, historical jobs and critical assets, in a real browser."""

import json
import re

import pytest
from browser import Person, violations_in_both_themes
from playwright.sync_api import Route, expect

pytestmark = [pytest.mark.system, pytest.mark.browser]

MAP = "/api/v2/security_monitoring/attack_map"
ENGINE = "**/api/v2/security_monitoring/coverage/engine"


def test_the_attack_map_leads_to_rules_and_signals(ana: Person) -> None:
    page = ana.open("/attack?source=all")
    expect(page.get_by_role("grid", name="Tactics and techniques")).to_be_visible()
    expect(page.get_by_role("columnheader")).to_have_count(14)
    brute_force = page.get_by_role("gridcell", name=re.compile("T1110 Brute Force in Credential Access"))
    brute_force.click()
    panel = page.get_by_role("complementary", name="T1110 Brute Force")
    expect(panel.get_by_role("link", name=re.compile(r"^\d+ signals?$"))).to_be_visible()
    answer = ana.server.get(MAP, sources="all")
    column = next(tactic for tactic in answer["data"] if tactic["id"] == "TA0006")
    rules = next(t["rules"] for t in column["attributes"]["tiles"] if t["technique"] == "T1110")
    expect(panel.get_by_role("link", name=f"{len(rules)} rules")).to_be_visible()
    said = panel.get_by_role("link", name=re.compile(r"^\d+ signals?$")).inner_text()
    panel.get_by_role("link", name=f"{len(rules)} rules").click()
    page.wait_for_url("**/rules?*")
    expect(page.get_by_text(f"{len(rules)} rules", exact=True)).to_be_visible()
    page.go_back()
    expect(panel).to_be_visible()  # the address holds the open tile
    panel.get_by_role("link", name=re.compile(r"^\d+ signals?$")).first.click()
    page.wait_for_url("**/signals?*")
    expect(page.get_by_text(said).first).to_be_visible()


def test_the_attack_map_by_keyboard(ana: Person) -> None:
    page = ana.open("/attack?source=all&density=high,medium")
    first = page.locator("[role=gridcell][tabindex='0']")
    expect(first).to_have_count(1)
    assert violations_in_both_themes(ana) == {}  # of these tiles, since all of them would take seconds
    first.focus()
    before = first.text_content()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("label => document.activeElement.textContent !== label", arg=before)
    moved = page.evaluate("() => document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)
    page.wait_for_function("label => document.activeElement.textContent === label", arg=moved)


def test_coverage_tells_every_minute(ana: Person) -> None:
    page = ana.open("/coverage?from=now-1h&to=now")
    strip = page.get_by_role("slider", name="Coverage of AWS root account signed in")
    expect(strip).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Detection works")).to_be_visible()
    assert violations_in_both_themes(ana) == {}
    strip.focus()
    page.keyboard.press("Home")
    expect(strip).to_have_attribute("aria-valuetext", re.compile("1 min (off|skipped).*not enabled"))
    expect(page.get_by_text("not enabled").first).to_be_visible()
    page.keyboard.press("PageDown")
    expect(strip).not_to_have_attribute("aria-valuetext", re.compile("not enabled"))
    page.get_by_label("Search rules").fill("AWS root account signed in")
    expect(page.get_by_text("1 rule", exact=True)).to_be_visible()
    expect(page.get_by_role("slider")).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Hole")).click()
    page.wait_for_url("**/coverage?*status=not_evaluated*")
    expect(page.get_by_text("No rule has such a minute in this time")).to_be_visible()


def test_a_stalled_evaluator_is_told_on_every_page(ana: Person) -> None:
    def stalled(route: Route) -> None:
        attributes = {
            "status": "stalled",
            "last_round_at": "2026-01-01T00:00:00.000Z",
            "covered_until": "2026-01-01T00:00:00.000Z",
            "lag_seconds": 60,
        }
        data = {"id": "engine", "type": "engine_health", "attributes": attributes}
        route.fulfill(content_type="application/json", body=json.dumps({"data": data}))

    ana.page.route(ENGINE, stalled)
    page = ana.open("/rules")
    page.get_by_role("link", name="Detection stands still").click()
    expect(page.get_by_role("alert").filter(has_text="Logs are still stored")).to_be_visible()


def test_a_job_from_a_rule_to_signals(ana: Person) -> None:
    page = ana.open("/jobs?rule=aws-roo-001")
    dialog = page.get_by_role("dialog", name="New historical job")
    expect(dialog.get_by_label("Rule", exact=True)).to_have_value("AWS root account signed in")
    assert violations_in_both_themes(ana) == {}
    dialog.get_by_role("button", name="Run the job").click()
    panel = page.get_by_role("complementary", name="AWS root account signed in")
    expect(panel.get_by_text("Completed")).to_be_visible()
    panel.get_by_label("Tick all results that are shown").click()
    panel.get_by_role("button", name=re.compile(r"^Make \d+ signals?$")).click()
    asked = page.get_by_role("dialog")
    asked.get_by_label("Message").fill("Found again by a job")
    asked.get_by_role("button", name="Make the signals").click()
    asked.get_by_role("link", name="Show the signals of this job").click()
    page.wait_for_url("**/signals?*")
    expect(ana.rows().first).to_be_visible()
    page.go_back()
    assert violations_in_both_themes(ana) == {}
    page.once("dialog", lambda asked: asked.accept())
    panel.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No job has run yet")).to_be_visible()


def test_a_job_of_a_definition_says_what_is_wrong(ana: Person) -> None:
    page = ana.open("/jobs?new=1")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Rule", exact=True)).to_be_focused()
    expect(page.get_by_role("listbox")).to_have_count(0)
    dialog.get_by_text("A definition as JSON").click()
    dialog.get_by_role("textbox", name="Definition").fill("{")
    expect(dialog.get_by_role("button", name="Run the job")).to_be_disabled()
    dialog.get_by_role("textbox", name="Definition").fill('{"name": "x", "message": "", "queries": [], "cases": []}')
    dialog.get_by_role("button", name="Run the job").click()
    expect(dialog.get_by_role("alert")).to_be_visible()


def test_critical_assets(ana: Person) -> None:
    page = ana.open("/settings/critical-assets")
    page.get_by_role("button", name="New critical asset").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[contenteditable=true]").fill("host:pay-1")
    dialog.get_by_label("Description").fill("The tills")
    dialog.get_by_role("button", name="Create").click()
    switch = ana.switch("The tills")
    expect(switch).to_be_checked()
    assert violations_in_both_themes(ana) == {}
    switch.press("Space")
    expect(switch).not_to_be_checked()
    expect(switch).to_be_enabled()  # the change has come through
    page.once("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Delete The tills").click()
    expect(page.get_by_text("No critical assets yet")).to_be_visible()
