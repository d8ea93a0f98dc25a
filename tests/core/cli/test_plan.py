"""A plan says why it decides nothing, and shows values as people write them (people.md, rule 19)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from full_database import NOW, lay_out
from plugin_package import clean_environment, command, json_of, make_plugin_package, run_pollctl, write_settings
from pseudo_terminal import show
from sample_plugin import PLAIN

from pollctl.store.database import open_to_write, writing

DECIDES = (
    PLAIN.replace("    number: int\n    reason: str", "    number: int\n    until: datetime\n    is_new: bool\n    rtt_ms: float\n    tags: list[str]\n    name: str\n    other: str | None\n    reason: str")
    .replace('[Seen(batch.number, f"{settings.word} {batch.number}")]', "[Seen(1, AT, True, 20.842913, ['a', 'b'], 'x' * 90, None, 'until 2026-11-28T18:30:00Z')]")
    .replace("class Settings", "from datetime import UTC, datetime\nAT = datetime(2026, 11, 28, 18, 30, tzinfo=UTC)\n\nclass Settings", 1)
)  # fmt: skip
NOTHING = PLAIN.replace("    yield Batch(1)\n    yield Batch(2)", "    run.note('the tide is out')\n    yield from ()")
SILENT = PLAIN.replace("    yield Batch(1)\n    yield Batch(2)", "    yield from ()")
UNMOVED = PLAIN.replace('return [Seen(batch.number, f"{settings.word} {batch.number}")]', "return []")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (NOTHING, "the tide is out"),
        (SILENT, "nothing was fetched: there is nothing to do at this moment"),
        (UNMOVED, "2 batches fetched, and nothing in them calls for a decision"),
    ],
    ids=["noted", "silent", "unmoved"],
)
def test_a_plan_without_decisions_says_why(tmp_path: Path, source: str, reason: str) -> None:
    env = make_plugin_package(tmp_path, "plain", source)
    write_settings(tmp_path, "[plugins.plain]")
    assert run_pollctl(tmp_path, env, "plan", "plain").stdout.splitlines() == [
        "plain: ok, would decide 0; nothing was written",
        f"  {reason}",
    ]
    assert json_of(run_pollctl(tmp_path, env, "plan", "plain", "--json"))["reasons"] == [reason]


def test_an_upstream_that_is_held_is_named(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain", SILENT) | {"POLLCTL_NOW": NOW}
    write_settings(tmp_path, "[plugins.plain]")
    run_pollctl(tmp_path, env, "run", "plain")
    with closing(open_to_write(tmp_path / "pollctl.db")) as db, writing(db):
        db.conn.execute("INSERT INTO holds VALUES ('plain', 'api.example.net', '2026-11-28T18:30:00.000Z')")
    said = run_pollctl(tmp_path, env, "plan", "plain").stdout
    assert "  held until 2026-11-28T18:30:00.000Z: api.example.net wants no request before\n" in said


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        ("latency", "no job is running; `pollctl latency add TARGET` starts one"),
        ("shell-query", "no run is open; `pollctl shell-query submit` asks for one"),
    ],
)
def test_the_plugins_of_pollctl_say_what_is_missing(tmp_path: Path, plugin: str, reason: str) -> None:
    lay_out(tmp_path, is_full=False)
    done = run_pollctl(tmp_path, clean_environment(tmp_path) | {"POLLCTL_NOW": NOW}, "plan", plugin)
    assert f"  {reason}\n" in done.stdout, done.stderr


def test_values_are_shown_as_people_write_them_and_long_ones_cut(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain", DECIDES) | {"POLLCTL_NOW": NOW, "TZ": "Europe/Amsterdam"}
    write_settings(tmp_path, "[plugins.plain]")
    words = "number 1, until 19:30:00, is_new yes, rtt_ms 20.84, tags a, b, name "
    cut = show(command("plan", "plain"), columns=200, cwd=tmp_path, env=env).text
    assert words + "x" * 59 + "…, other -: until 19:30:00" in cut
    full = show(command("plan", "plain", "--full"), columns=200, cwd=tmp_path, env=env).text
    assert words + "x" * 90 + ", other -: until 19:30:00" in full
    piped = run_pollctl(tmp_path, env, "plan", "plain").stdout
    assert "until 2026-11-28T18:30:00Z, is_new yes" in piped
    assert "x" * 90 in piped
