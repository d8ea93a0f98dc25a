"""The pictures in the manual: a made-up day, on a terminal and as a report. ``python docs/picture.py`` writes them."""
# ruff: noqa: INP001, PLR2004 - a script beside the manual, no package; numbers of a made-up day

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from itertools import product
from math import sin
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "harness")]

from full_database import NOW, hash_of, lay_out  # noqa: E402
from PIL import Image  # noqa: E402
from PIL.PngImagePlugin import PngInfo  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402
from plugin_package import clean_environment, run_pollctl  # noqa: E402
from pseudo_terminal import Screen, show_listings  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.terminal_theme import MONOKAI  # noqa: E402
from rich.text import Text  # noqa: E402

from pollctl import from_text, to_text  # noqa: E402
from pollctl.store.database import open_to_write, writing  # noqa: E402
from pollctl.store.runs import id_prefix  # noqa: E402

PICTURE = ROOT / "docs" / "report.png"
TERMINAL = ROOT / "docs" / "terminal.png"
ON_THE_TERMINAL = (("status",), ("why", "toilet-gap"))
COLUMNS = 92
_CONSOLE = """\
<body style="background: {background}; margin: 0; width: max-content">
<pre style="color: {foreground}; font: 15px/18px monospace; padding: 16px; margin: 0">{code}</pre>"""
SCREENS = ROOT / "docs" / "screens"
WIDTHS = (320, 390, 1280, 2560)
THEMES = ("light", "dark")
_COLOURS = 64
EVERY = {"latency": 1, "shell_query": 30, "soc_sections": 5, "stockx_ops": 5, "toilet_gap": 10}
"""Minutes between the passes of each plugin."""
_END = from_text(NOW)
_BEGIN = _END - timedelta(hours=24)


def passes() -> Iterator[tuple[Any, ...]]:
    """The passes of the day before those that are there."""
    for plugin, minutes in EVERY.items():
        at = _BEGIN
        while at < _END - timedelta(hours=1):
            luck = hash_of(f"{plugin}{at:%H%M}") % 1000
            outcome = "failed" if luck < 4 * minutes else "partial" if luck < 12 else "ok"
            moment = to_text(at)
            yield f"{id_prefix(at)}-{hash_of(plugin + moment):08x}", plugin, moment, moment, outcome
            at += timedelta(minutes=minutes)


def samples() -> Iterator[tuple[Any, ...]]:
    """A line that is slower in the evening, and was gone for half an hour."""
    for number in range(1440):
        at = _BEGIN + timedelta(minutes=number)
        is_lost = 700 < number < 730 or hash_of(str(number)) % 90 == 0
        rtt_ms = 24 + 8 * sin(number / 230) + hash_of(f"rtt{number}") % 900 / 100
        yield "missed" if is_lost else "success", None if is_lost else rtt_ms, to_text(at), number


def lay_out_day(folder: Path) -> None:
    """Write the settings and the database of that day."""
    lay_out(folder, is_full=True)
    with closing(open_to_write(folder / "pollctl.db")) as db, writing(db):
        db.conn.executemany(
            "INSERT OR IGNORE INTO runs (id, plugin, trigger, started_at, finished_at, outcome, trace_id, pid, host) "
            "VALUES (?, ?, 'due', ?, ?, ?, '', 1, '')",
            passes(),
        )
        db.conn.execute("DELETE FROM latency_samples")
        db.conn.executemany(
            "INSERT INTO latency_samples (job_id, status, rtt_ms, recorded_at, sequence_number) VALUES (1, ?, ?, ?, ?)",
            samples(),
        )


def report_page(folder: Path) -> Path:
    """The report of that day."""
    run_pollctl(folder, clean_environment(folder) | {"POLLCTL_NOW": NOW}, "report", "--out", "report.html")
    return folder / "report.html"


def screen(folder: Path) -> Screen:
    """What a terminal shows of that day."""
    env = clean_environment(folder) | {"POLLCTL_NOW": NOW}
    return show_listings(ON_THE_TERMINAL, columns=COLUMNS, cwd=folder, env=env)


def terminal_page(folder: Path, sent: str) -> Path:
    """What was sent to a terminal, in its colours."""
    console = Console(record=True, file=StringIO(), width=COLUMNS)
    console.print(Text.from_ansi(sent.replace("\r", "").strip()))
    page = folder / "terminal.html"
    page.write_text(console.export_html(theme=MONOKAI, code_format=_CONSOLE, inline_styles=True), encoding="utf-8")
    return page


def main() -> None:
    """Write both pictures, and the whole page on screens of four widths in two themes."""
    SCREENS.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        lay_out_day(Path(folder))
        shown = screen(Path(folder))
        address = terminal_page(Path(folder), shown.sent).as_uri()
        shoot(browser, address, TERMINAL, width=10, height=10, is_whole=True, text=shown.text)
        address = report_page(Path(folder)).as_uri()
        shoot(browser, address, PICTURE, width=1100, height=1420)
        for width, theme in product(WIDTHS, THEMES):
            shoot(
                browser,
                address,
                SCREENS / f"report-{width}-{theme}.png",
                width=width,
                height=900,
                theme=theme,
                is_whole=True,
            )
        browser.close()


def shoot(
    browser: Browser,
    address: str,
    file: Path,
    *,
    width: int,
    height: int,
    theme: str = "light",
    is_whole: bool = False,
    text: str = "",
) -> None:
    """Write what a window shows, or all that it shows when scrolled through, with few colours, which keeps files small.

    The text goes into the file as well: by it a test knows whether the picture still shows what there is to see.
    """
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
    tab.clock.install(time=datetime.fromisoformat(NOW))
    tab.goto(address)
    tab.evaluate("for (const name of document.querySelectorAll('header b')) name.textContent = 'box'")
    picture = Image.open(BytesIO(tab.screenshot(full_page=is_whole))).convert("RGB")
    described = PngInfo()
    if text:
        described.add_itxt("Description", text)
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(file, optimize=True, pnginfo=described)
    tab.close()


if __name__ == "__main__":
    main()
