"""A day with a cron daemon that is real: installed, a first job, an outage, mended, upgraded, a full disk, a second user.

The daemon is BusyBox' own (Debian: `apt-get install busybox-static`): it takes a folder of crontabs of its own, so that nothing of
the machine's is touched. Its clock is the wall's, so that the day takes some minutes.
"""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from inbox import Inbox
from other_users import as_root, run_as_nobody
from place import Place, wait_for

from pollctl_soc_sections.fake import FakeSoc

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200), as_root]
TERM = "92026"
LONGEST_S = 100  # until the next minute has come and its pass has ended
SAID_S = 3  # for the supervisor to say what it has to say


class Cron:
    """A running daemon, and what its jobs print.

    It is told no address, since it would spool its mail in a folder of the machine's: what they print is what it would mail.

    Args:
        process: of the daemon.
        log: where it writes, and its jobs, too.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self._read = 0

    def mail(self) -> str:
        """What was printed since this was last asked."""
        lines = self._log.read_text().splitlines()
        fresh, self._read = lines[self._read :], len(lines)
        return "\n".join(line for line in fresh if not line.startswith("crond: "))

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Meanwhile no file of a job can grow beyond a page; the database has more than that."""
        before = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        yield
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def cron(folder: Path, crontab: str, env: dict[str, str]) -> Iterator[Cron]:
    """A daemon of our own that obeys a crontab, until the block ends."""
    busybox = shutil.which("busybox")
    if not busybox or "crond" not in subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout.split():  # noqa: PLW1510
        pytest.skip("no BusyBox with crond here (Debian: busybox-static)")
    (folder / "crontabs").mkdir()
    (folder / "crontabs" / "root").write_text(re.sub("(?m)^MAILTO=.*\n", "", crontab))
    log = folder / "crond.log"
    # while the disk is full, half a file of byte code would be written, for every other test to read
    surroundings = env | {"PYTHONDONTWRITEBYTECODE": "1"}
    words = [busybox, "crond", "-f", "-c", str(folder / "crontabs"), "-L", str(log)]
    with subprocess.Popen(words, env=surroundings, cwd=folder, stdin=subprocess.DEVNULL) as process:
        try:
            wait_for(log.exists)
            yield Cron(process, log)
        finally:
            process.terminate()


class Day:
    """What is looked at minute by minute."""

    def __init__(self, place: Place, daemon: Cron) -> None:
        self._place = place
        self._daemon = daemon

    def minute(self) -> tuple[str, str]:
        """Wait for the next minute's pass to end; answers its outcome, and what cron would mail of it."""
        (known,) = self._place.sql("SELECT count(*) FROM runs")[0]
        wait_for(
            lambda: self._place.sql("SELECT count(*) FROM runs WHERE finished_at IS NOT NULL")[0][0] > known, LONGEST_S
        )
        time.sleep(SAID_S)
        (outcome,) = self._place.sql("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1")[0]
        return str(outcome), self._daemon.mail()

    def minute_without_a_row(self) -> str:
        """Wait until the next minute's call is over, of which the database can keep nothing; answers what cron would mail."""
        time.sleep(60 - time.time() % 60 + 10 + SAID_S)
        return self._daemon.mail()


def installed(folder: Path, soc: FakeSoc, people: Inbox) -> Place:
    """What a newcomer does: `init`, a section of the settings, `check`."""
    place = Place(folder)
    place.env["XDG_STATE_HOME"] = str(folder / "state")
    place.do("init", "--plugin", "soc-sections")
    file = folder / "pollctl.toml"
    text = file.read_text()
    for key, value in {
        "base_url": f'"{soc.url}"',
        "campuses": '["NB"]',
        "terms": f'["{TERM}"]',
        "urls": f'["{people.json_url}/operator"]',
        "alert_after": "2",
    }.items():
        text = re.sub(rf"(?m)^(# )?{key} = .*$", f"{key} = {value}", text, count=1)
    file.write_text(text.replace("[plugins.soc_sections]", '[plugins.soc_sections]\nbackoff = "0s"'))
    assert "`due --run` has started no pass yet: does anybody call it?" in " ".join(place.do("check").split())
    return place


def downgraded(place: Place) -> None:
    """The database as the version before would have left it."""
    place.sql("DROP TABLE purity")
    place.sql("DELETE FROM _sqlite_migrations WHERE name = 'm007_purity'")


def test_a_day_of_a_newcomer(tmp_path: Path) -> None:
    with FakeSoc({"NB": 3}, open_share=0.5) as soc, Inbox() as people:
        place = installed(tmp_path, soc, people)
        wanted = min({one.index_number for one in soc.sections["NB"]} - set(soc.open_sections("NB")))
        contact = f"{people.json_url}/student"
        place.do("soc-sections", "subscribe", wanted, "--term", TERM, "--campus", "NB", "--contact", contact)
        with cron(tmp_path, place.do("crontab"), place.env) as daemon:
            day = Day(place, daemon)
            assert day.minute() == ("ok", ""), "a quiet success prints nothing"
            assert "does anybody call it" not in place.do("check")

            soc.open("NB", wanted)
            assert day.minute() == ("ok", "")
            assert len(people.messages) == 1, "the student hears that the section is open"

            soc.lasting_faults["NB"] = "html"
            outcome, mail = day.minute()
            assert outcome == "failed"
            assert mail.startswith("soc_sections: failed: ")
            assert "\n" not in mail
            assert day.minute() == ("failed", ""), "told once"
            assert "soc_sections" in people.titles[-1], "the operator hears of the second failure in a row"

            soc.lasting_faults.clear()
            downgraded(place)
            assert day.minute() == ("ok", ""), "mended and upgraded in the same minute"
            assert "again" in people.titles[-1] or "recovered" in people.titles[-1] or "well" in people.titles[-1]
            assert place.sql("SELECT plugin FROM purity") == [("soc_sections",)]

            with daemon.full_disk():
                mail = day.minute_without_a_row()
                assert "soc_sections: " in mail
                assert day.minute_without_a_row() == "", "told once"
            assert day.minute() == ("ok", "")

            refused = run_as_nobody(tmp_path, place.env, "run", "soc_sections")
            assert (refused.returncode, "sudo" in refused.stderr or "belongs to root" in refused.stderr) == (2, True)
            assert run_as_nobody(tmp_path, place.env, "status").returncode == 0
            assert day.minute() == ("ok", ""), "nobody left anything that is in the way"
        sent = [request.path for request in people.requests]
        assert sent == ["/student", "/operator", "/operator"], "nothing was lost or doubled"
        assert place.do("db", "check").endswith("ok\n")
