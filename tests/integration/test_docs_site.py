"""The built pages: strictly built, nothing from another host, and a search that finds."""

import asyncio
import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from docs._generate.blocks import blocks, pages
from tests.integration.test_api_explorer import chromium, requests
from tests.lab.ports import HOST

__all__ = ["chromium"]

REPOSITORY = Path(__file__).parents[2]
# By tag, the attributes whose address a browser fetches by itself.
FETCHED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "input": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
    "body": ("background",),
}
FETCHED_LINKS = re.compile(r"stylesheet|icon|preload|prefetch|preconnect|manifest", re.I)
FOREIGN = re.compile(r"\s*(?:https?:|wss?:|ftp:)?//", re.I)
IN_CSS = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""", re.I)


class Fetched(HTMLParser):
    """Collects the addresses that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.blocks = 0
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.blocks += tag == "pre"
        if tag == "link" and FETCHED_LINKS.search(values.get("rel", "")):
            self.addresses.append(values.get("href", ""))
        for name in FETCHED.get(tag, ()):
            for part in values.get(name, "").split(","):
                self.addresses.append(part.strip().split(" ")[0])
        self.addresses += in_css(values.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.addresses += in_css(data)


def in_css(text: str) -> list[str]:
    """The addresses that a style sheet makes a browser fetch."""
    return [one or other for one, other in IN_CSS.findall(text)]


def fetched(text: str) -> Fetched:
    page = Fetched()
    page.feed(text)
    return page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built as `make docs` builds them."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def origin(site: Path) -> Iterator[str]:
    """The address of a server that serves the built pages."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        (HOST, 0), functools.partial(Quiet, directory=str(site))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    built = sorted(site.rglob("*.html"))
    assert len(built) > 20
    local = 0
    for path in built:
        text = path.read_text(encoding="utf-8")
        for address in fetched(text).addresses:
            assert not FOREIGN.match(address), f"{path.relative_to(site)} fetches {address}"
            local += 1
        # For a block of mermaid the theme would load a script from another host.
        assert 'class="mermaid"' not in text
    assert local > 3 * len(built)
    for path in site.rglob("*.css"):
        for address in in_css(path.read_text(encoding="utf-8")):
            assert not FOREIGN.match(address), f"{path.relative_to(site)} fetches {address}"
    for path in site.rglob("*.svg"):
        assert not any(map(FOREIGN.match, fetched(path.read_text(encoding="utf-8")).addresses))


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<link rel="preconnect" href="https://fonts.example" crossorigin>',
        '<img srcset="a.png 1x, https://pictures.example/b.png 2x">',
        "<style>@import 'https://fonts.example/css';</style>",
        '<p style="background: url(https://pictures.example/b.png)">',
        '<svg><use href="https://icons.example/i.svg#a"/></svg>',
    ],
)
def test_what_is_fetched_from_another_host_is_seen(text: str) -> None:
    assert any(map(FOREIGN.match, fetched(text).addresses))


def test_a_link_to_another_site_is_no_fetch() -> None:
    assert fetched('<a href="https://www.standardwebhooks.com">').addresses == []


def test_every_code_block_of_a_built_page_is_one_that_is_read(site: Path) -> None:
    """An indented block has no first line that says what it is, so it would go unread."""
    for page in pages():
        if page.parent == REPOSITORY:
            continue
        name = page.relative_to(REPOSITORY / "docs").with_suffix(".html")
        written = [block for block in blocks(page) if not block.hidden]
        built = fetched((site / name).read_text(encoding="utf-8"))
        assert built.blocks == len(written), f"{name}: a code block without ```"


def test_generator_and_tests_are_not_published(site: Path) -> None:
    assert not list(site.rglob("_generate"))
    assert not list(site.rglob("*.py"))


async def test_search_finds_without_another_host(chromium: Chrome, origin: str) -> None:
    def look() -> tuple[str, list[str]]:
        requests(chromium)  # those of its own first page are not ours
        chromium.get(f"{origin}/index.html")
        wait = WebDriverWait(chromium, 30)
        box = wait.until(lambda d: d.find_element(By.CSS_SELECTOR, "input.md-search__input"))
        chromium.execute_script("document.querySelector('[data-md-toggle=search]').checked = true")
        chromium.execute_script("arguments[0].focus()", box)
        box.send_keys("max_lateness")
        found = wait.until(
            lambda d: d.find_elements(By.CSS_SELECTOR, ".md-search-result__item a[href]")
        )
        return str(found[0].get_attribute("href")), requests(chromium)

    found, asked = await asyncio.to_thread(look)
    assert found.startswith(f"{origin}/")
    assert any("search_index" in address for address in asked)
    assert [one for one in asked if FOREIGN.match(one) and not one.startswith(origin)] == []


def test_the_index_of_the_search_has_the_pages(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))
    places = {entry["location"].split("#")[0] for entry in index["docs"]}
    assert {"reference/configuration.html", "reference/rest/events.html"} <= places
