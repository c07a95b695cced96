"""Content packs in a real browser."""

import json
import re

import pytest
from browser import Person, settled, violations_in_both_themes
from playwright.sync_api import Route, expect
from waiting import until

pytestmark = [pytest.mark.system, pytest.mark.browser]

RULES = "/api/v2/security_monitoring/rules"
SUBSCRIPTIONS = "/api/v2/security_monitoring/sample_log_generation/subscriptions"


def test_a_pack_is_switched_off_and_on(ana: Person) -> None:
    page = ana.open("/packs?query=zoom")
    row = page.get_by_role("row").filter(has_text="Zoom")
    expect(row).to_contain_text("Not connected")
    row.get_by_role("link", name="Zoom", exact=True).click()
    panel = page.get_by_role("complementary", name="Zoom")
    expect(panel.get_by_text("Its rules are ready")).to_be_visible()
    expect(panel.locator("pre").last).to_contain_text(f"{ana.server.url}/api/v2/logs?ddsource=zoom")
    settled(ana)
    assert violations_in_both_themes(ana) == {}

    def enabled() -> list[bool]:
        return [rule["isEnabled"] for rule in ana.server.get(RULES, query="source:zoom origin:default")["data"]]

    panel.get_by_role("button", name="Activate").click()
    expect(panel.get_by_text("It is activated and waits for its first log.")).to_be_visible()
    page.once("dialog", lambda asked: asked.accept())
    panel.get_by_role("button", name="Deactivate").click()
    expect(row).to_contain_text("Switched off")
    assert enabled() == [False]
    panel.get_by_role("button", name="Activate").click()
    expect(row).to_contain_text("Waiting for logs")
    assert enabled() == [True]
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(row.get_by_role("link", name="Zoom", exact=True)).to_be_focused()


def test_a_pack_leads_to_what_it_counts(ana: Person) -> None:
    page = ana.open("/packs")
    row = page.get_by_role("row").filter(has_text="AWS CloudTrail")
    expect(row).to_contain_text("Working")
    rules = row.get_by_role("link", name="rules of AWS CloudTrail are on")
    total = rules.inner_text().split(" of ")[1]
    rules.click()
    expect(page.get_by_text(f"{total} rules").or_(page.get_by_text(f"{total} of ")).first).to_be_visible()
    page.go_back()
    row.get_by_role("link", name="signals of AWS CloudTrail").click()
    page.wait_for_url("**/signals?query=source:cloudtrail*")
    expect(ana.rows().first).to_be_visible()


def test_sample_logs_are_asked_for_as_long_as_chosen(ana: Person) -> None:
    asked: list[dict[str, object]] = []

    def refuse(route: Route) -> None:
        """Nobody else's page fills with samples."""
        asked.append(json.loads(route.request.post_data or "null")["data"]["attributes"])
        route.fulfill(status=503, content_type="application/json", body='{"errors": ["the store is busy"]}')

    ana.page.route(f"**{SUBSCRIPTIONS}", refuse)
    page = ana.open("/packs?pack=okta")
    panel = page.get_by_role("complementary", name="Okta")
    panel.get_by_role("combobox", name="For how long").click()
    page.get_by_role("option", name="For a day").click()
    panel.get_by_role("button", name="Send sample logs").click()
    until(lambda: bool(asked))
    assert asked == [{"content_pack_id": "okta", "duration": "1d"}]
    told = page.get_by_role("alert").filter(has_text="Okta was not changed")
    expect(told).to_contain_text("the store is busy")
    settled(ana)
    assert violations_in_both_themes(ana) == {}
    told.get_by_role("button", name="Dismiss").click()
    expect(told).to_have_count(0)


def test_names_of_packs_are_whole_beside_an_open_one(ana: Person) -> None:
    page = ana.open("/packs?pack=slack")
    expect(page.get_by_role("complementary", name="Slack")).to_be_visible()
    names = page.get_by_role("row").get_by_role("link").filter(has_not_text=re.compile(r"^[\d,]+( of \d+)?$"))
    expect(names.filter(has_text="Windows and Sysmon")).to_be_visible()
    cut = "links => links.filter(a => a.getBoundingClientRect().right > a.closest('td').getBoundingClientRect().right)"
    assert names.evaluate_all(f"{cut}.map(a => a.textContent)") == []


@pytest.mark.parametrize(
    ("address", "noun"),
    [
        ("/packs?pack=nothing", "content pack"),
        ("/rules/abc-def-ghi", "rule"),
        ("/tables?open=nothing", "reference table"),
        ("/tables?open=5f0e3b0c-6c3f-4e57-8a0e-0f6f4c1d9b11", "reference table"),
        ("/jobs?job=nothing", "job"),
        ("/intel?feed=nothing", "feed"),
        ("/security-filters?filter=nothing", "security filter"),
    ],
)
def test_a_link_to_what_is_not_there_says_so(ana: Person, address: str, noun: str) -> None:
    expect(ana.open(address).get_by_role("heading", name=f"There is no such {noun}")).to_be_visible()
