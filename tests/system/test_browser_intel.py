"""Threat intelligence, pipelines and security filters in a real browser, from the first click to what came of it."""

from typing import Any

import httpx
import pytest
from browser import Person, violations_in_both_themes
from playwright.sync_api import Dialog, expect
from server import Server
from waiting import until

pytestmark = [pytest.mark.system, pytest.mark.browser]

FEEDS = "/api/v2/security/siem/threat-intel/feeds"
PIPELINES = "/api/v1/logs/config/pipelines"
ORDER = "/api/v1/logs/config/pipeline-order"
FILTERS = "/api/v2/security_monitoring/configuration/security_filters"
ROWS = b"198.18.7.7,c2,malicious\nnonsense here\nevil-doors.example,phishing,suspicious\n"

DOORS: dict[str, Any] = {
    "name": "Doors of the gate",
    "is_enabled": True,
    "filter": {"query": "source:door"},
    "processors": [
        {
            "type": "grok-parser",
            "name": "Words",
            "is_enabled": True,
            "source": "message",
            "samples": ["opened ana"],
            "grok": {"match_rules": "r %{word:evt.name} %{notSpace:who}", "support_rules": ""},
        },
        {
            "type": "pipeline",
            "name": "Inside",
            "is_enabled": True,
            "filter": {"query": "@evt.name:opened"},
            "processors": [
                {
                    "type": "attribute-remapper",
                    "name": "Who",
                    "is_enabled": True,
                    "sources": ["who"],
                    "target": "usr.id",
                }
            ],
        },
    ],
}


def accept(dialog: Dialog) -> None:
    dialog.accept()


def logged(server: Server, message: str, query: str) -> None:
    """Send the log until it came enriched: a feed reaches the intake within seconds, not at once."""
    body = {"filter": {"query": query, "from": "now-1h", "to": "now"}}

    def found() -> int:
        server.post("/api/v2/logs", [{"ddsource": "gate", "message": message}])
        return int(server.post("/api/v2/explore/logs/count", body)["data"]["count"])

    until(found, every=0.3)


def test_from_a_feed_to_its_indicators_to_the_logs(ana: Person) -> None:
    page = ana.open("/intel")
    page.get_by_role("button", name="Add a feed").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Gate watchers")
    content = b"indicator,category,intention\n" + ROWS
    form.locator("input[type=file]").set_input_files(
        files=[{"name": "gate.csv", "mimeType": "text/csv", "buffer": content}]
    )
    form.get_by_role("button", name="Add the feed").click()
    panel = page.get_by_role("complementary", name="Feed Gate watchers")
    expect(panel.get_by_text("2 indicators")).to_be_visible()
    expect(panel.get_by_text("nonsense here")).to_be_visible()
    assert violations_in_both_themes(ana) == {}
    panel.get_by_role("tab", name="Indicators").click()
    expect(panel.get_by_text("evil-doors.example")).to_be_visible()

    logged(ana.server, "visit from 198.18.7.7", '@threat_intel.results.indicator:"198.18.7.7"')
    ana.open("/intel?tab=indicators&query=@source:%22Gate watchers%22")
    row = page.get_by_role("row").filter(has_text="198.18.7.7")
    expect(row).to_contain_text("malicious")
    assert violations_in_both_themes(ana) == {}
    row.get_by_role("button", name="198.18.7.7").click()
    detail = page.get_by_role("complementary", name="Indicator 198.18.7.7")
    detail.get_by_role("button", name="Mark as reviewed").click()
    expect(detail.get_by_role("button", name="Mark as not reviewed")).to_be_visible()
    page.get_by_role("checkbox", name="Review reviewed, 1").click()
    page.wait_for_url("**triage_state:reviewed**")
    expect(row).to_be_visible()
    row.get_by_role("link").first.click()
    page.wait_for_url("**/logs?*198.18.7.7*")
    expect(ana.rows().first).to_contain_text("visit from 198.18.7.7")

    ana.open("/intel?tab=matches")
    expect(page.get_by_role("region", name="By indicator").get_by_text("198.18.7.7")).to_be_visible()
    expect(page.get_by_role("region", name="Recent logs").get_by_text("visit from 198.18.7.7").first).to_be_visible()
    assert violations_in_both_themes(ana) == {}

    page.keyboard.press("l")
    page.keyboard.type("hxxp://deep.evil-doors[.]example/x")
    row = page.get_by_role("row").filter(has_text="evil-doors.example")
    expect(row).to_contain_text("a domain above it")
    page.wait_for_url("**lookup=hxxp**")
    assert violations_in_both_themes(ana) == {}
    row.get_by_role("link", name="Gate watchers").click()
    expect(panel).to_be_visible()

    ana.open("/intel?tab=feeds")
    page.on("dialog", accept)
    page.get_by_role("button", name="More for Gate watchers").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("button", name="Gate watchers", exact=True)).to_have_count(0)


def test_a_secret_is_never_shown_again_and_a_failure_is_told(ana: Person) -> None:
    page = ana.open("/intel")
    page.get_by_role("button", name="Add a feed").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Behind a password")
    form.get_by_text("Fetched from a URL").click()
    form.get_by_label("URL", exact=True).fill("ftp://feeds.example/list")
    form.get_by_role("combobox", name="Authentication").click()
    page.get_by_role("option", name="Bearer token").click()
    form.get_by_label("Secret").fill("open sesame")
    form.get_by_role("button", name="Add the feed").click()
    expect(form.get_by_text("begins with https://")).to_be_visible()
    form.get_by_label("URL", exact=True).fill("http://127.0.0.1:9/list.csv")
    form.get_by_role("button", name="Add the feed").click()
    panel = page.get_by_role("complementary", name="Feed Behind a password")
    expect(panel.get_by_role("alert")).to_contain_text("127.0.0.1")
    panel.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog").get_by_label("Secret")).to_have_value("")
    expect(page.get_by_role("dialog").get_by_text("The present one stays")).to_be_visible()
    assert "open sesame" not in page.content()
    made = next(f for f in ana.server.get(FEEDS)["data"] if f["attributes"]["name"] == "Behind a password")
    httpx.delete(f"{ana.server.url}{FEEDS}/{made['id']}", headers=ana.server.headers).raise_for_status()


def test_pipelines_are_ordered_by_keyboard_and_by_mouse(ana: Person) -> None:
    server = ana.server
    made = server.post(PIPELINES, DOORS)
    before = server.get(ORDER)["pipeline_ids"]
    page = ana.open("/pipelines")
    handle = page.get_by_role("button", name=f"Move {DOORS['name']}")
    handle.press("ArrowUp")
    handle.press("ArrowUp")
    expect(handle).to_be_focused()
    wait_for_order(server, [*before[:-3], made["id"], *before[-3:-1]])
    assert violations_in_both_themes(ana) == {}
    first = page.get_by_role("row").nth(1)
    handle.drag_to(first)
    wait_for_order(server, [made["id"], *before[:-1]])
    page.get_by_role("row").filter(has_text=DOORS["name"]).get_by_role("button", name="2 processors").click()
    expect(page.get_by_text("Attribute remapper").first).to_be_visible()
    shipped = page.get_by_role("row").filter(has_text="Shipped, read-only").first
    shipped.get_by_role("button", name="More for").click()
    expect(page.get_by_role("menuitem", name="Copy")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Delete")).to_have_count(0)
    httpx.delete(f"{server.url}{PIPELINES}/{made['id']}", headers=server.headers).raise_for_status()


def wait_for_order(server: Server, expected: list[str]) -> None:
    until(lambda: server.get(ORDER)["pipeline_ids"], lambda found: found == expected)


def test_a_pipeline_is_tried_while_it_is_edited_and_a_conflict_is_told(ana: Person) -> None:
    server = ana.server
    made = server.post(PIPELINES, DOORS)
    page = ana.open(f"/pipelines?pipeline={made['id']}")
    page.get_by_role("button", name="Take a sample").click()
    page.get_by_role("menuitem", name="opened ana").click()
    tried = page.get_by_role("region", name="Try it on a log")
    expect(tried.get_by_text("2 steps changed the log")).to_be_visible()
    expect(tried.get_by_text("@usr.id")).to_be_visible()
    page.get_by_role("button", name="Words Grok parser").click()
    rules = page.get_by_role("textbox", name="Rules")
    assert violations_in_both_themes(ana) == {}
    rules.fill("r %{nonsense:evt.name}")
    expect(page.get_by_text("1 mistake")).to_be_visible()
    expect(rules).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    rules.fill("r %{word:evt.action} %{notSpace:who}")
    expect(tried.get_by_text("@evt.action")).to_be_visible()

    answer = httpx.put(
        f"{server.url}{PIPELINES}/{made['id']}", json={**DOORS, "description": "theirs"}, headers=server.headers
    )
    answer.raise_for_status()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Somebody else saved this pipeline")).to_be_visible()
    expect(rules).to_have_value("r %{word:evt.action} %{notSpace:who}")
    page.on("dialog", accept)
    page.get_by_role("button", name="Save mine over theirs").click()
    expect(page.get_by_text("Saved: logs that come from now on")).to_be_visible()
    saved = server.get(f"{PIPELINES}/{made['id']}")
    assert saved["processors"][0]["grok"]["match_rules"] == "r %{word:evt.action} %{notSpace:who}"
    assert saved["processors"][1] == DOORS["processors"][1], "what nobody touched is as it was given"
    httpx.delete(f"{server.url}{PIPELINES}/{made['id']}", headers=server.headers).raise_for_status()


def test_security_filters_say_what_they_exclude(ana: Person) -> None:
    page = ana.open("/security-filters")
    page.get_by_role("button", name="New filter").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Gates only")
    form.get_by_role("textbox", name="Takes").click()
    page.keyboard.type("source:gate")
    form.get_by_role("button", name="Exclude logs").click()
    form.get_by_label("Name of exclusion 1").fill("drills")
    form.get_by_role("textbox", name="Excludes (1)").click()
    page.keyboard.type("env:drill")
    form.get_by_role("button", name="Create the filter").click()
    row = page.get_by_role("row").filter(has_text="Gates only")
    expect(row).to_contain_text("source:gate")
    expect(row).to_contain_text("drills: env:drill")
    expect(page.get_by_text("the others change nothing while it is on")).to_be_visible()
    assert violations_in_both_themes(ana) == {}
    switch = ana.switch("Gates only")
    switch.press("Space")
    expect(switch).not_to_be_checked()
    expect(switch).to_be_enabled()
    until(
        lambda: {f["attributes"]["name"]: f["attributes"]["is_enabled"] for f in ana.server.get(FILTERS)["data"]},
        lambda filters: filters["Gates only"] is False,
    )
    page.on("dialog", accept)
    row.get_by_role("button", name="Delete Gates only").click()
    expect(row).to_have_count(0)
