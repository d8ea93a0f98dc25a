"""Every listing on screens of 80, 120 and 200 columns, full and empty, as text files beside this one.

They are compared as they are. After a change that is meant, `POLLCTL_SNAPSHOTS=write pytest tests/core/cli/test_snapshots.py`
writes them again, and `git diff` shows what people will see.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from full_database import NOW, lay_out
from plugin_package import Env, clean_environment
from pseudo_terminal import Screen, show_listings

pytestmark = pytest.mark.slow

SNAPSHOTS = Path(__file__).with_name("snapshots")
COMMANDS = [
    line.split()
    for line in """
status
history
history toilet-gap --limit 3
plugins
due --next 1
why toilet-gap
history --since -5m --outcome failed
show latest
show latest toilet-gap
due
outbox list
outbox list --status dead
outbox show 100
plan latency
notify test
replay
latency jobs
latency samples 1
latency alerts
latency show 1
latency mirror held
shell-query runs
shell-query show latest
soc-sections subscriptions
soc-sections subscriptions --history 500
soc-sections sections
soc-sections events
soc-sections polls
stockx-ops account list
stockx-ops jobs
stockx-ops listings
stockx-ops history
stockx-ops stats
toilet-gap monitors
toilet-gap checks
toilet-gap records 2
toilet-gap timeline 2
toilet-gap dead-letters
""".strip().splitlines()
]
WIDTHS = (80, 120, 200)
OTHERS = {
    "run", "check", "report", "latency add", "shell-query submit", "soc-sections subscribe", "soc-sections catalogue", "stockx-ops track",
    "toilet-gap seed-template",
}  # fmt: skip
"""What takes ``--json`` and is no listing, or, as ``check``, has a test of its own."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{8}")


def test_every_listing_is_among_them() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/commands.md").read_text()
    sections = re.split(r"^#+ pollctl ", page, flags=re.MULTILINE)[1:]
    listings = {section.partition("\n")[0] for section in sections if "--json" in section} - OTHERS
    assert {one for one in listings if not any(" ".join(words).startswith(one) for words in COMMANDS)} == set()


@pytest.fixture(params=["full", "empty"])
def contents(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def shown(folder: Path, contents: str, columns: int, env: Env) -> Screen:
    lay_out(folder, is_full=contents == "full")
    surroundings = clean_environment(folder) | {"POLLCTL_NOW": NOW, "TZ": "UTC"} | env
    return show_listings(COMMANDS, columns=columns, cwd=folder, env=surroundings)


def compare(name: str, text: str) -> None:
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("POLLCTL_SNAPSHOTS") == "write":
        path.write_text(f"{text}\n", encoding="utf-8")
    assert f"{text}\n" == path.read_text(encoding="utf-8"), f"see the head of {Path(__file__).name}"


@pytest.mark.parametrize("columns", WIDTHS)
def test_every_listing_looks_as_it_did(tmp_path: Path, contents: str, columns: int) -> None:
    screen = shown(tmp_path, contents, columns, {})
    assert "Traceback" not in screen.text
    compare(f"{contents}-{columns}", screen.text)
    if contents == "full":
        assert "\x1b[31m" in screen.sent


@pytest.mark.parametrize("columns", WIDTHS)
def test_without_colours_every_state_is_still_there(tmp_path: Path, columns: int) -> None:
    screen = shown(tmp_path, "full", columns, {"NO_COLOR": "1"})
    compare(f"full-{columns}-no-color", screen.text)
    assert not re.search(r"\x1b\[[\d;]*3[0-7]", screen.sent)


def too_long(screen: Screen, columns: int) -> list[str]:
    lines = re.sub(r"\x1b\[[\d;]*[mK]", "", screen.sent).splitlines()
    return [line for line in lines if len(line) > columns and not line.startswith("$ ")]


def test_no_line_is_longer_than_the_screen(tmp_path: Path, contents: str) -> None:
    assert too_long(shown(tmp_path, contents, 80, {}), 80) == []


def test_ids_never_fold(tmp_path: Path) -> None:
    text = shown(tmp_path, "full", 80, {}).text
    listed = text.split("$ pollctl shell-query runs")[1].split("$ ")[0]
    assert len(_ID.findall(listed)) == 2


def test_no_listing_speaks_python_or_in_broken_plurals() -> None:
    """people.md, rule 12."""
    strange = re.compile(
        r"\bNone\b|\bTrue\b|\bFalse\b|datetime\.|timedelta|Decimal\(|\d\.\d{5,}|\bunknown lost\b|\b1 (checks|batches|passes|effects|messages|jobs)\b"
    )
    found = [line for path in SNAPSHOTS.glob("*.txt") for line in path.read_text().splitlines() if strange.search(line)]
    assert found == []


@pytest.mark.parametrize("columns", WIDTHS)
def test_what_check_finds_fits_the_screen_and_keeps_its_words_whole(
    tmp_path: Path, contents: str, columns: int
) -> None:
    """It names folders and users, so that no picture of it is the same twice."""
    lay_out(tmp_path, is_full=contents == "full")
    env = clean_environment(tmp_path) | {"POLLCTL_NOW": NOW, "TZ": "UTC"}
    screen = show_listings([["check"]], columns=columns, cwd=tmp_path, env=env)
    assert too_long(screen, columns) == []
    _, heading, *rows = screen.lines
    assert heading.split() == ["level", "subject", "text", "(CET)"]
    levels = {row[:5].strip() for row in rows}
    assert {"ok"} <= levels <= {"ok", "warn", ""}
    assert {row[7:21].strip() for row in rows} >= {"settings", "database", "soc_sections", "cron"}
    assert f"{tmp_path}/pollctl.db" in "".join(row[21:].strip() for row in rows)


@pytest.mark.parametrize(("more", "clock"), [([], "2026-11-28 19:02:00 CET"), (["--utc"], "2026-11-28T18:02:00.000Z")])
def test_check_shows_moments_in_the_readers_zone(tmp_path: Path, more: list[str], clock: str) -> None:
    """people.md, rule 15: local on a terminal, whole and in UTC with --utc and in pipes."""
    lay_out(tmp_path, is_full=True)
    env = clean_environment(tmp_path) | {"POLLCTL_NOW": NOW, "TZ": "UTC"}
    screen = show_listings([["check", *more]], columns=100, cwd=tmp_path, env=env)
    (line,) = (line for line in screen.lines if " clock " in line)
    assert line.split(maxsplit=2)[2] == clock
