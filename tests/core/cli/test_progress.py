"""Long work says on a terminal how far it is, and Ctrl-C says what stands (people.md, rule 18)."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest
from place import Place
from plugin_package import command
from plugins.shell_query.place import Place as ShellQueryPlace
from pseudo_terminal import Screen, show
from sample_plugin import plain

from pollctl.store import content, database, files
from pollctl_shell_query.fake import FakeMarketingCloud
from pollctl_soc_sections.fake import FakeSoc

pytestmark = pytest.mark.slow

FETCH = """(run):
    run.reached("room 1")
    for number in range(1, 9):
        yield Batch(number)
        run.failed("room 2", "no answer")
        time.sleep(0.3)
        if run.is_stopping:
            return"""
SLOW_DECIDE = """(batch, settings):
    sum(range(3_000_000))
    return [Seen(batch.number, "as ever")]"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.plugin("plain", plain(fetch=FETCH, decide=SLOW_DECIDE))
    place.settings("[plugins.plain]", 'record = "all"', 'deadline = "40s"')
    database.open_to_write(place.database).close()
    return place


def screen(place: Place, *words: str, interrupt_at: str = "") -> Screen:
    return show(command(*words), columns=100, cwd=place.folder, env=place.env, interrupt_at=interrupt_at)


def test_a_pass_shows_batches_counts_failures_and_until_when(place: Place) -> None:
    shown = screen(place, "run", "plain")
    assert "plain: 3 batches, seen 3, 2 failures so far, until " in shown.sent
    assert "so far" not in shown.text, "the line is gone at the end"
    assert shown.lines[0].startswith("plain: partial in ")


def test_ctrl_c_in_a_pass_says_what_is_committed(place: Place) -> None:
    shown = screen(place, "run", "plain", interrupt_at=" so far")
    (committed,) = place.sql("SELECT batches FROM runs")[0]
    assert shown.code == 130
    assert committed >= 1
    assert "It ends at its next safe point; Ctrl-C again ends it at once." in shown.text
    stand = "1 batch is committed and stands" if committed == 1 else f"{committed} batches are committed and stand"
    assert f"pollctl: plain: interrupted: {stand}; the next pass goes on from there" in " ".join(shown.lines)


@pytest.mark.parametrize("option", ["-v", "--log-format=json"])
def test_who_reads_the_events_sees_no_such_line(place: Place, option: str) -> None:
    assert "so far" not in screen(place, option, "run", "plain").sent


def test_several_passes_are_counted_and_stopped_together(place: Place) -> None:
    place.plugin("quick")
    shown = screen(place, "run", "plain", "quick", interrupt_at="passes that ended: 1 of 2 (50 %)")
    assert shown.code == 130
    assert "pollctl: stopped: what these passes had committed stands" in shown.text


def test_a_replay_counts_and_says_how_far_it_came(place: Place) -> None:
    for number in range(3):
        place.call("run", "plain", now=f"2026-03-02T09:0{number}:00Z")
    whole = screen(place, "replay", "--all")
    assert "passes decided again, none to look at: 2 of 3 (66 %)" in whole.sent
    assert whole.lines[-1] == "24 decided again, none to look at"
    stopped = screen(place, "replay", "--all", interrupt_at="1 of 3 (33 %)")
    assert stopped.code == 130
    assert "pollctl: stopped: " in stopped.text
    assert " of 3 passes were decided again, none to look at; a replay writes nothing" in " ".join(stopped.lines)


def test_a_demo_shows_what_is_at_work_and_stops_as_a_whole(tmp_path: Path) -> None:
    shown = screen(Place(tmp_path), "demo", "latency", interrupt_at="at work: pollctl why latency")
    assert shown.code == 130
    assert shown.lines[-1] == "pollctl: stopped: the temporary folder is gone, and nothing else was touched"


def test_a_catalogue_shows_how_far_its_pass_has_come(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with FakeSoc({"NB": 3, "NK": 3}) as soc:
        place.settings(f'[plugins.soc_sections]\nbase_url = "{soc.url}"\ncampuses = ["NB", "NK"]')
        shown = screen(place, "soc-sections", "catalogue")
    assert re.search(r"soc_sections: \d batch", shown.sent)
    assert "so far" not in shown.text
    assert [line.split()[:2] for line in shown.lines[-2:]] == [["92026", "NB"], ["92026", "NK"]]


def test_results_count_their_rows_and_ctrl_c_leaves_no_file(tmp_path: Path) -> None:
    with FakeMarketingCloud() as upstream:
        place = ShellQueryPlace(tmp_path, upstream)
        run_id = place.ready([{"EmailAddress": f"{number}@example.net"} for number in range(3000)])
        words = ("shell-query", "results", run_id, "--format", "csv", "--out", "rows.csv")
        stopped = screen(place, *words, interrupt_at="rows: ")
        assert (stopped.code, (tmp_path / "rows.csv").exists()) == (130, False)
        assert "rows.csv is as it was before" in " ".join(stopped.lines)
        whole = screen(place, *words)
    assert "of 3,000" in whole.sent or "of 3000" in whole.sent
    assert whole.text == ""
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 3001


def filled(path: Path) -> None:
    with closing(database.open_to_write(path)) as db, database.writing(db):
        db.conn.executemany("INSERT INTO holds VALUES (?,?,?)", ((f"p{n}", "x" * 20, "never") for n in range(60_000)))


def test_a_backup_shows_its_bytes_and_ctrl_c_leaves_the_earlier_one(tmp_path: Path) -> None:
    source, target = tmp_path / "pollctl.db", tmp_path / "copy.db"
    filled(source)
    parts: list[tuple[int, int]] = []
    with closing(database.open_to_read(source)) as db:
        files.backup(db, target, lambda done, total: parts.append((done, total)))
        assert parts
        assert all(0 <= done <= total for done, total in parts)
        before = target.read_bytes()

        def interrupt(_done: int, _total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            files.backup(db, target, interrupt)
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]


def test_a_backup_is_compact(tmp_path: Path) -> None:
    source, target = tmp_path / "pollctl.db", tmp_path / "copy.db"
    filled(source)
    with closing(database.open_to_write(source)) as db:
        db.conn.execute("DELETE FROM holds")
        files.backup(db, target)
        assert target.stat().st_size < source.stat().st_size / 10
    with closing(database.open_to_read(target)) as copy:
        assert content.problems(copy) == []
