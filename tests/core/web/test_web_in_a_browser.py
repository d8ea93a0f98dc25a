"""`pollctl web` as it arrives in Chromium: login once, tables, queries and dashboards; nothing is asked for elsewhere, nothing runs."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pytest
from core.web.served import Served, serving
from full_database import lay_out
from plugin_package import clean_environment

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("datasette_dashboards")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")]
HOSTILE = (
    "<img src=https://cdn.example.net/x onerror='window.pwned=1'><script>window.pwned=1</script>"
    "<svg onload='window.pwned=1'></svg><a href=\"javascript:window.pwned=1\">x</a>"
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    lay_out(tmp_path, is_full=True)
    with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db, db:
        db.execute("UPDATE latency_jobs SET target = ? WHERE id = 2", [HOSTILE])
        db.execute("UPDATE outbox SET last_error = ?", [HOSTILE])
    with serving(tmp_path, clean_environment(tmp_path)) as found:
        yield found


class Tab:
    """A page in a window of its own jar; what it says on the console and asks for elsewhere is noted."""

    def __init__(self, chromium: Any, served: Served) -> None:
        self.context = chromium.new_context()
        self.tab = self.context.new_page()
        self.origin = f"http://127.0.0.1:{served.port}"
        self.said: list[str] = []
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", self._note_request)

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.said.append(f"request {request.url}")

    def show(self, path: str) -> Any:
        return self.tab.goto(path if "://" in path else f"{self.origin}{path}", wait_until="networkidle")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def test_the_address_opens_the_start_page_once(chromium: Any, served: Served) -> None:
    with Tab(chromium, served) as mine, Tab(chromium, served) as other:
        assert mine.show(served.login).status == 200
        assert (mine.tab.url, "pollctl on " in mine.tab.title()) == (f"{mine.origin}/", True)
        assert "token" not in mine.tab.evaluate("document.cookie + document.referrer + location.href")
        mine.tab.click("text=runs")
        assert mine.tab.url == f"{mine.origin}/pollctl/runs"
        assert mine.said == []
        assert other.show(served.login).status == 403
        assert other.show("/").status == 403


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/pollctl", "/pollctl/runs", "/pollctl/runs?_facet=outcome", "/pollctl/latency_jobs", "/pollctl/outbox"),
        *(
            "/pollctl/latency-jobs",
            "/pollctl/latency-hours-of-job?job=1",
            "/pollctl?sql=select+target+from+latency_jobs",
        ),
        *("/-/dashboards", "/-/dashboards/pollctl", "/-/dashboards/latency", "/-/dashboards/stockx_ops"),
        *("/-/dashboards/shell_query", "/-/dashboards/soc_sections", "/-/dashboards/toilet_gap"),
        "/-/dashboards/latency/jobs",
    ],
)
def test_a_page_says_nothing_asks_nobody_else_and_runs_nothing(chromium: Any, served: Served, path: str) -> None:
    with Tab(chromium, served) as shown:
        shown.show(served.login)
        assert shown.show(path).status == 200
        assert shown.said == []
        assert shown.tab.evaluate("window.pwned") is None


def test_dashboards_show_figures_bars_and_tables_and_text_stays_text(chromium: Any, served: Served) -> None:
    with Tab(chromium, served) as shown:
        shown.show(served.login)
        shown.show("/-/dashboards/pollctl")
        figures = shown.tab.locator("#chart-failing, #chart-given-up, #chart-passes").all_inner_texts()
        assert [text.strip() for text in figures] == ["1", "1", "50"]
        assert shown.tab.locator("#chart-beats svg").count() == 1
        assert shown.tab.locator("#chart-beats .mark-rect path").count() > 3
        assert shown.tab.locator("#chart-beats a").count() == 0  # none of Vega's, which lead elsewhere
        assert shown.tab.locator("#chart-undelivered tbody tr").count() == 3
        assert shown.tab.locator("#chart-undelivered").inner_text().count(HOSTILE) == 3
        shown.show("/-/dashboards/shell_query")
        assert shown.tab.locator("#chart-open tbody tr").inner_text().strip() == "nothing"


def test_what_slips_into_a_page_as_markup_cannot_run_nor_call_out(chromium: Any, served: Served) -> None:
    with Tab(chromium, served) as shown:
        shown.show(served.login)
        shown.tab.evaluate(f"document.body.innerHTML = {HOSTILE!r}")
        shown.tab.wait_for_timeout(300)
        assert shown.tab.evaluate("window.pwned") is None
        assert any("Content Security Policy" in line for line in shown.said)
        assert shown.tab.evaluate("fetch('https://cdn.example.net/x').then(() => 'sent', () => 'refused')") == "refused"
