"""The manual as a site: whole, of one text with the pages, and asking nobody for anything (scale.md, rule 11)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import html  # type: ignore[import-untyped]  # lxml has no types
from manual_pages import ROOT, pages, read, script
from markdown_it import MarkdownIt

pytestmark = pytest.mark.skipif(not (ROOT / "plugins").is_dir(), reason="needs the whole tree")
pytest.importorskip("zensical")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHOWN = ("h1", "h2", "h3", "h4", "ol", "ul", "li", "table", "pre")
OF_THE_TREE = re.compile(r"https://github\.com/pollctl/pollctl/(?:blob|tree)/main/([^)#\s]+)")


SITE = script("site")
PAGES: list[str] = SITE.matching(*SITE.PAGES)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site") / "built"
    SITE.build(target)
    return target


@cache
def parsed(path: Path) -> Any:
    return html.parse(str(path)).getroot()


def built(site: Path, page: str) -> Path:
    path = site / page
    return path.with_name("index.html") if path.name == "README.md" else path.with_suffix(".html")


# --- the build


def test_every_page_has_its_place_in_the_navigation() -> None:
    def named(entries: list[Any]) -> Iterator[str]:
        for entry in entries:
            inner = entry if isinstance(entry, str) else next(iter(entry.values()))
            yield from [inner] if isinstance(inner, str) else named(inner)

    places = [*named(SITE.settings()["project"]["nav"])]
    assert {*PAGES} ^ {*places} == set(), "name it in docs/zensical.toml"
    assert len(places) == len({*places})


def test_every_page_of_the_manual_is_a_page_of_the_site() -> None:
    assert {str(page.relative_to(ROOT)) for page in pages()} <= {*PAGES}


@pytest.mark.parametrize(
    "line", ["[away](gone.md)", "[away](#gone)", "[away](docs/other.md#gone)"], ids=["page", "anchor", "anchor there"]
)
def test_a_link_that_leads_nowhere_ends_the_build(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").write_text("# Other\n")
    (tmp_path / "README.md").write_text(f"# Home\n\n{line}\n")
    settings = tmp_path / "zensical.toml"
    settings.write_text('[project]\nsite_name = "tried"\ndocs_dir = "pages"\nnav = ["README.md", "docs/other.md"]\n')
    monkeypatch.setattr(SITE, "ROOT", tmp_path)
    monkeypatch.setattr(SITE, "SETTINGS", settings)
    with pytest.raises(SystemExit):
        SITE.build(tmp_path / "built")
    assert "does not exist" in capfd.readouterr().err
    assert not (tmp_path / "built").exists()


# --- what was built


def links(path: Path) -> Iterator[str]:
    for element in parsed(path).iter("a", "img", "script", "link"):
        yield from (element.get(name) for name in ("href", "src") if element.get(name))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str, site: Path) -> None:
    for link in links(built(site, page)):
        if re.match(r"\w+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (built(site, page).parent / target).resolve() if target else built(site, page)
        assert path.is_file(), link
        assert not anchor or anchor in parsed(path).xpath("//@id"), link


@pytest.mark.parametrize("page", PAGES)
def test_an_address_of_the_repository_names_what_is_in_it(page: str) -> None:
    for name in OF_THE_TREE.findall(read(ROOT / page)):
        assert (ROOT / name).exists(), name


def shown(root: Any) -> list[tuple[str, str | None, str]]:
    """Headings, lists, tables and code: what they are, where their count begins, and their text without blanks."""
    for permalink in root.find_class("headerlink"):
        permalink.drop_tree()
    return [(one.tag, one.get("start"), "".join(one.text_content().split())) for one in root.iter(*SHOWN)]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_on_the_site_what_it_is_elsewhere(page: str, site: Path) -> None:
    """Lists above all: where Markdown has dialects, a page keeps to what all of them read alike."""
    github = MarkdownIt("commonmark").enable("table").render(read(ROOT / page))
    article = parsed(built(site, page)).find(".//article")
    assert shown(article) == shown(html.fragment_fromstring(github, create_parent="article"))


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        fetched = parsed(path).xpath("//script/@src | //img/@src | //link[@rel='stylesheet']/@href")
        assert [address for address in fetched if re.match(r"(\w+:)?//", address)] == [], path
    for path in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", read(path)), path


# --- in a browser


class Tab:
    """A page of the site as it lies on the disk; what it says on the console and asks for is noted."""

    def __init__(self, browser: Any, page: Path, scheme: str) -> None:
        self.said: list[str] = []
        self.tab = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        self.tab.set_default_timeout(10_000)
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", self._note_request)
        self.tab.goto(page.as_uri())

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.said.append(f"request {request.url}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")
@pytest.mark.parametrize(("page", "scheme"), [("README.md", "light"), ("plugins/pollctl_latency/README.md", "dark")])
def test_search_finds_a_page_without_server_and_network(chromium: Any, site: Path, page: str, scheme: str) -> None:
    shown = Tab(chromium, built(site, page), scheme)
    shown.tab.keyboard.press("/")
    shown.tab.keyboard.type("authorizer")
    found = shown.tab.get_by_role("option").filter(has_text="What a hook may do to the database").first
    found.click()
    shown.tab.wait_for_url("**/0005-the-authorizer.html**")
    assert shown.said == []
