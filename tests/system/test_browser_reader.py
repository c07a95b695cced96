"""Somebody with the role Read Only walks through all pages: nothing is refused, and what they may not do says why."""

import re
from typing import Any

import pytest
from browser import Person, settled, violations
from playwright.sync_api import Response, expect

pytestmark = [pytest.mark.system, pytest.mark.browser]

PAGES = {
    "/signals": "Signals",
    "/signals/suppressed": "Suppressed signals",
    "/logs": "Logs",
    "/rules": "Rules",
    "/rules/ssh-brt-101": "",
    "/suppressions": "Suppressions",
    "/attack?source=all": "ATT&CK map",
    "/coverage": "Coverage",
    "/jobs": "Historical jobs",
    "/packs": "Content packs",
    "/packs?pack=okta": "Content packs",
    "/pipelines": "Pipelines",
    "/tables": "Reference tables",
    "/intel": "Threat intelligence",
    "/intel?tab=indicators": "Threat intelligence",
    "/intel?tab=matches": "Threat intelligence",
    "/intel?lookup=203.0.113.7": "Threat intelligence",
    "/security-filters": "Security filters",
    "/settings/people": "People",
    "/settings/keys": "Keys",
    "/settings/critical-assets": "Critical assets",
    "/settings/status": "Status",
}

CHANGES = re.compile(
    r"^(add|new|create|make|edit|change|save|delete|remove|archive|assign|disable|enable|revoke|replay|upload"
    r"|refresh .*now|mark as|set password|cancel the job|restore|import|move)\b",
    re.I,
)
THEIR_OWN = {"Change password"}

CONTROLS = """() => [...document.querySelectorAll('main :is(button, [role=switch], input[type=checkbox])')]
    .filter((one) => one.checkVisibility())
    .map((one) => ({
        name: one.getAttribute('aria-label') ?? one.textContent.trim(),
        isOff: one.disabled || one.getAttribute('aria-disabled') === 'true',
        isExplained: one.closest('[data-needs]') !== null,
    }))"""


def dead(person: Person) -> list[str]:
    """What could be clicked and would be refused, and what cannot be clicked without saying why."""
    controls: list[dict[str, Any]] = person.page.evaluate(CONTROLS)
    live = [one["name"] for one in controls if not one["isOff"] and CHANGES.match(one["name"])]
    mute = [one["name"] for one in controls if one["isOff"] and not one["isExplained"]]
    return [f"live: {name}" for name in live if name not in THEIR_OWN] + [f"mute: {name}" for name in mute]


def test_who_may_only_look_walks_through_all_pages(reader: Person) -> None:
    refused: list[str] = []

    def note(response: Response) -> None:
        if response.status in (401, 403):
            refused.append(f"{response.status} {response.request.method} {response.url}")

    page = reader.page
    page.on("response", note)
    found: dict[str, list[str]] = {}
    for path, title in PAGES.items():
        reader.open(path)
        expect(page.get_by_role("heading", level=1, name=title).first).to_be_attached()
        settled(reader)
        told = page.get_by_role("alert").or_(page.locator(".mantine-Notification-root")).all_inner_texts()
        if problems := dead(reader) + told:
            found[path] = problems
    assert found == {}
    assert refused == []


def test_who_may_only_look_reads_a_signal_and_a_feed(reader: Person) -> None:
    page = reader.open("/signals")
    reader.rows().first.click()
    expect(page.get_by_role("checkbox", name="Tick row 1")).to_have_count(0)
    page.get_by_role("tab", name="Timeline").wait_for()
    settled(reader)
    assert dead(reader) == []
    assert violations(page) == []
    page.keyboard.press("Escape")
    reader.open("/intel?lookup=203.0.113.254")
    expect(page.get_by_role("heading", name="No feed lists it")).to_be_visible()
    assert violations(page) == []
    for section, heading in (("keys", "API keys"), ("status", "Rejected events")):
        reader.open(f"/settings/{section}")
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        settled(reader)
        assert violations(page) == []
