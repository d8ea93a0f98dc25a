"""The report as it arrives: in Chromium, on screens of five widths in two themes, on paper, by keyboard, without script."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from core.pages.test_report import HOSTILE, OWN
from full_database import NOW, lay_out
from plugin_package import clean_environment, make_plugin_package, run_pollctl

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")]
LATER = "2026-11-28T18:03:00Z"
PLANTED = "<main><script>window.pwned=1</script><p style='color:red'>x</p><img src=https://cdn.example.net/x onerror='window.pwned=1'>"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def written(folder: Path) -> Path:
    lay_out(folder, is_full=True)
    env = clean_environment(folder) | {"POLLCTL_NOW": NOW}
    done = run_pollctl(folder, env, "report", "--out", "report.html")
    assert (done.returncode, done.stdout) == (0, "")
    return folder / "report.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all text of a plugin was written by an enemy."""
    from sample_plugin import PLAIN

    folder = tmp_path_factory.mktemp("hostile")
    env = make_plugin_package(folder, "plain", PLAIN + OWN.replace("HOSTILE", repr(HOSTILE))) | {"POLLCTL_NOW": NOW}
    (folder / "pollctl.toml").write_text('[pollctl]\ndatabase = "pollctl.db"\n[plugins.plain]\n')
    assert run_pollctl(folder, env, "report", "--out", "report.html").returncode == 0
    return folder / "report.html"


class Tab:
    """A page in a window; what it says on the console and asks for is noted."""

    def __init__(self, chromium: Any, page: Path, *, width: int = 1280, now: str = LATER, **more: Any) -> None:
        self.context = chromium.new_context(viewport={"width": width, "height": 900}, **more)
        self.tab = self.context.new_page()
        self.said: list[str] = []
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", self._note_request)
        if more.get("java_script_enabled", True):
            self.tab.clock.install(time=now)
        self.tab.goto(page.as_uri())

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.said.append(f"request {request.url}")

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


@pytest.mark.parametrize("which", ["page", "hostile_page"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2560])
def test_nothing_is_wider_than_the_window_and_nothing_is_said_or_asked_for(
    chromium: Any, which: str, width: int, scheme: str, request: pytest.FixtureRequest
) -> None:
    with Tab(chromium, request.getfixturevalue(which), width=width, color_scheme=scheme) as shown:
        assert shown.tab.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.said == []


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_commands_and_what_passes_said_without_scrolling_sideways(
    chromium: Any, page: Path, width: int
) -> None:
    hidden = """what => [...document.querySelectorAll(what)].filter(one => {
        const box = one.getBoundingClientRect();
        return box.width && (box.right > innerWidth || box.width < 150 || one.scrollWidth > one.clientWidth + 1);
    }).map(one => one.textContent)"""
    with Tab(chromium, page, width=width) as shown:
        assert shown.tab.locator("td.wide", has_text="503 Service Unavailable").count()
        assert [shown.tab.evaluate(hidden, what) for what in (".attention code", "td.wide")] == [[], []]


def test_trouble_comes_first_and_title_and_icon_say_it(chromium: Any, page: Path) -> None:
    with Tab(chromium, page) as shown:
        assert shown.tab.title().startswith("5 things need attention · ")
        assert shown.tab.locator("main > section").first.get_attribute("class") == "attention"
        assert shown.tab.locator(".attention li").count() == 5
        assert "cc3311" in shown.tab.locator("link[rel=icon]").get_attribute("href")


def test_each_plugin_has_a_row_with_96_bars(chromium: Any, page: Path) -> None:
    with Tab(chromium, page) as shown:
        rows = shown.tab.locator(".plugin")
        assert [rows.nth(place).locator("rect").count() for place in range(rows.count())] == [96] * 5


def test_a_failed_bar_is_higher_than_a_partial_and_that_than_an_ok_one(chromium: Any, page: Path) -> None:
    with Tab(chromium, page) as shown:
        heights = [
            shown.tab.locator(f".plugin .b-{level}").first.bounding_box()["height"]
            for level in ("fail", "warn", "ok", "none")
        ]
    assert heights == sorted(set(heights), reverse=True)


def test_pointer_and_arrows_say_what_a_bar_stands_for_and_escape_ends_it(chromium: Any, page: Path) -> None:
    with Tab(chromium, page) as shown:
        chart, tip = shown.tab.locator(".plugin .chart").first, shown.tab.locator("#tip")
        box = chart.bounding_box()
        shown.tab.mouse.move(box["x"] + box["width"] - 2, box["y"] + 10)
        assert re.fullmatch(r"18:47 to 19:02: 2 partial, 3 ok · backup.example.net: Request timeout", tip.inner_text())
        chart.focus()
        shown.tab.keyboard.press("ArrowLeft")
        assert tip.inner_text().startswith("18:32 to 18:47: ")
        shown.tab.keyboard.press("Escape")
        assert tip.is_hidden()


def test_an_old_page_says_that_it_is_old(chromium: Any, page: Path) -> None:
    with Tab(chromium, page) as shown:
        assert shown.tab.locator("#old").is_hidden()
        shown.tab.clock.fast_forward(20 * 60 * 1000)
        assert "This page is 2" in shown.tab.locator("#old").inner_text()
    with Tab(chromium, page, now="2026-11-30T18:03:00Z") as shown:
        assert "This page is 2 days old" in shown.tab.locator("#old").inner_text()


def test_it_is_readable_without_script(chromium: Any, page: Path) -> None:
    with Tab(chromium, page, java_script_enabled=False) as shown:
        assert "503 Service Unavailable" in shown.tab.locator("body").inner_text()
        figures = shown.tab.locator("figure:not(.timeline)")
        assert [figures.nth(place).locator("svg.plot path.line").count() for place in range(2)] == [0, 1]
        assert figures.first.inner_text().endswith("0 samples")  # a job that took none has no empty plot


def test_what_an_enemy_wrote_is_text(chromium: Any, hostile_page: Path) -> None:
    with Tab(chromium, hostile_page) as shown:
        assert shown.tab.evaluate("document.querySelectorAll('script:not([type])').length") == 1
        assert shown.tab.evaluate("document.querySelectorAll('img').length") == 0
        assert "<script>alert(1)</script>" in shown.tab.locator("body").inner_text()
        assert "\\u202e" in shown.tab.locator("body").inner_text()


def test_the_browser_itself_refuses_what_is_planted_in_the_page(chromium: Any, page: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.html"
    planted.write_text(page.read_text().replace("<main>", PLANTED, 1))
    with Tab(chromium, planted) as shown:
        assert not shown.tab.evaluate("'pwned' in window")
        refused = [line for line in shown.said if "Content Security Policy" in line]
    assert len(refused) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_there_is_no_violation_of_accessibility(chromium: Any, page: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with Tab(chromium, page, color_scheme=scheme, bypass_csp=True) as shown:
        found = axe.Axe().run(shown.tab).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def test_on_paper_it_is_black_on_white_and_few_pages(chromium: Any, page: Path) -> None:
    with Tab(chromium, page, color_scheme="dark") as shown:
        shown.tab.emulate_media(media="print")
        assert shown.tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        paper = shown.tab.pdf(format="A4")
    assert 1 <= len(re.findall(rb"/Type /Page\b", paper)) <= 8
