"""A page that stays open while its server is killed and started again."""

from pathlib import Path

import pytest
from browser import entered
from playwright.sync_api import Browser, expect
from server import Server

pytestmark = [pytest.mark.system, pytest.mark.browser]

AWAY = "The server cannot be reached. It is asked again by itself"


def test_a_page_outlives_its_server(browser: Browser, tmp_path: Path) -> None:
    """It says so, keeps what is typed, opens pages whose code was not loaded, and goes on when the server is back."""
    with Server(tmp_path / "data").running() as server, entered(browser, server) as person:
        page = person.open("/rules/new")
        name = page.get_by_label("Name", exact=True)
        name.fill("Typed before")
        other = person.context.new_page()
        other.goto("/settings/keys")
        other.get_by_role("button", name="New key").first.click()
        key = other.get_by_role("dialog", name="New API key")
        key.get_by_label("Name").fill("for the probe")

        server.kill()
        other.keyboard.press("Enter")
        expect(key.get_by_text("The server cannot be reached. Check that it runs")).to_be_visible()
        expect(key.get_by_label("Name")).to_be_focused()  # which rested with the form while that was asked
        expect(page.get_by_text(AWAY)).to_be_visible()
        name.fill("Typed while it was away")
        server.start()

        expect(page.get_by_text(AWAY)).to_have_count(0)
        expect(page.get_by_text("The server can be reached again.")).to_be_visible()
        expect(name).to_have_value("Typed while it was away")
        expect(key.get_by_label("Name")).to_have_value("for the probe")
        other.keyboard.press("Enter")
        expect(key.get_by_role("button", name="Copy the key")).to_be_visible()


def test_a_page_whose_code_was_not_loaded_waits_for_the_server(browser: Browser, tmp_path: Path) -> None:
    with Server(tmp_path / "data").running() as server, entered(browser, server) as person:
        page = person.open("/settings/status")
        expect(page.get_by_role("heading", name="Status", exact=True)).to_be_visible()
        server.kill()
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Coverage").click()
        expect(page.get_by_text(AWAY)).to_be_visible()
        server.start()
        expect(page.get_by_role("grid").or_(page.get_by_text("Detection")).first).to_be_visible()
