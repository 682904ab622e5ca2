"""The explorer in a browser: it opens without a login, and each call can be tried with one."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.wait import WebDriverWait

from telealarm.api.public.explorer import FILES
from tests.integration.api_client import PASSWORD, Api, clinic

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SECONDS = 30


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chrome]:
    """A fresh Chromium that writes down each request it makes."""
    options = ChromeOptions()
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1400,1000",
        f"--user-data-dir={tmp_path / 'chromium'}",
    ):
        options.add_argument(flag)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


def requests(chromium: Chrome) -> list[str]:
    """The addresses that the browser asked for, as its performance log has them."""
    log = chromium.get_log("performance")
    messages = [json.loads(entry["message"])["message"] for entry in log]
    sent = [one["params"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return [params["request"]["url"] for params in sent]


def try_it(chromium: Chrome, origin: str) -> dict[str, Any]:
    """Open the explorer, log in, and list the calendars; what was seen."""
    wait = WebDriverWait(chromium, SECONDS)

    def click(selector: str) -> WebElement:
        element = wait.until(until.element_to_be_clickable((By.CSS_SELECTOR, selector)))
        chromium.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        return element

    def write(selector: str, text: str) -> None:
        wait.until(until.element_to_be_clickable((By.CSS_SELECTOR, selector))).send_keys(text)

    chromium.get(f"{origin}/rest-api/")
    click("button.authorize")
    write(".auth-container input[aria-label='auth-basic-username']", "manager")
    write(".auth-container input[aria-label='auth-basic-password']", PASSWORD)
    click(".auth-container:has(input) button.authorize")
    click(".btn-done")
    call = "#operations-calendar-calendar_list"
    click("#operations-tag-calendar")
    click(f"{call} .opblock-summary-control")
    click(f"{call} .try-out__btn")
    click(f"{call} .execute")
    seen = (By.CSS_SELECTOR, f"{call} .live-responses-table tbody .response-col_status")
    status = wait.until(until.visibility_of_element_located(seen)).text
    body = chromium.find_element(By.CSS_SELECTOR, f"{call} .live-responses-table .microlight").text
    return {
        "title": chromium.title,
        "status": status,
        "body": body,
        "asked": requests(chromium),
        "errors": [one for one in chromium.get_log("browser") if one["level"] == "SEVERE"],
    }


# A browser takes long to start; what it shows does not depend on the database.
@pytest.mark.long
@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
async def test_a_newcomer_logs_in_and_tries_a_call(api: Api, chromium: Chrome) -> None:
    await clinic(api)
    seen = await asyncio.to_thread(try_it, chromium, api.origin)
    assert seen["title"] == "TeleAlarm"
    assert seen["status"].split()[0] == "200"
    assert '"name": "book"' in seen["body"]
    listed = f"{api.origin}/rest-api/calendar/"
    assert any(url.startswith(listed) for url in seen["asked"])
    # The browser's own pages (chrome://) ask no network.
    network = [url for url in seen["asked"] if url.startswith(("http", "ws", "ftp"))]
    outside = [url for url in network if not url.startswith(f"{api.origin}/")]
    assert outside == []
    # What the Content-Security-Policy forbids would be told here.
    assert seen["errors"] == []


async def test_a_browser_gets_the_page_and_a_program_the_resources(api: Api) -> None:
    page = await api.get("", user=None, headers={"Accept": BROWSER})
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "http" not in page.text
    for accept in ("application/json", "*/*", "", "text/html;q=0.5,application/json", "x;q=y"):
        assert (await api.get("", user=None, headers={"Accept": accept})).status == 401
        reply = await api.get("", headers={"Accept": accept})
        assert reply.body["calendar"] == f"{api.origin}/rest-api/calendar/"
    assert (await api.get("?format=json", headers={"Accept": BROWSER})).body["calendar"]


async def test_the_page_has_what_it_needs_and_nothing_else_is_served(api: Api) -> None:
    for name in (*FILES, "start.js"):
        reply = await api.send("HEAD", f"explorer/{name}", user=None)
        assert reply.status == 200, name
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
    for name in ("swagger-editor-bundle.js", "..%2f__init__.py", "LICENSE"):
        assert (await api.get(f"explorer/{name}", user=None)).status == 404, name
