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
MAIL_COMES_S = 15  # the daemon looks every ten seconds whether a job has ended
SENDMAIL = """#!/bin/sh
exec cat >"{folder}/$(date +%s%N)"
"""


class Cron:
    """A running daemon, and the mails that it sent.

    Args:
        process: of the daemon.
        mails: the folder into which it delivers.
    """

    def __init__(self, process: subprocess.Popen[bytes], mails: Path) -> None:
        self._process = process
        self._mails = mails
        self._read: set[Path] = set()

    def fresh_mails(self) -> list[str]:
        """The bodies of those that have come since."""
        fresh = sorted({*self._mails.iterdir()} - self._read)
        self._read.update(fresh)
        return [path.read_text().partition("\n\n")[2].strip() for path in fresh]

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
    tabs, mails, programs = (folder / name for name in ("crontabs", "mails", "programs"))
    for path in (tabs, mails, programs):
        path.mkdir()
    (tabs / "root").write_text(crontab)
    (programs / "sendmail").write_text(SENDMAIL.format(folder=mails))
    (programs / "sendmail").chmod(0o755)
    # while the disk is full, half a file of byte code would be written, for every other test to read
    surroundings = env | {"PATH": f"{programs}:{env['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    words = [busybox, "crond", "-f", "-c", str(tabs), "-L", str(folder / "crond.log")]
    with subprocess.Popen(words, env=surroundings, cwd=folder, stdin=subprocess.DEVNULL) as process:
        try:
            yield Cron(process, mails)
        finally:
            process.terminate()


class Day:
    """What is looked at minute by minute."""

    def __init__(self, place: Place, daemon: Cron) -> None:
        self._place = place
        self._daemon = daemon

    def minute(self) -> tuple[str, list[str]]:
        """Wait for the next minute's pass to end; answers its outcome, and what cron mailed meanwhile."""
        (known,) = self._place.sql("SELECT count(*) FROM runs")[0]
        wait_for(
            lambda: self._place.sql("SELECT count(*) FROM runs WHERE finished_at IS NOT NULL")[0][0] > known, LONGEST_S
        )
        time.sleep(MAIL_COMES_S)
        (outcome,) = self._place.sql("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1")[0]
        return str(outcome), self._daemon.fresh_mails()

    def minute_without_a_row(self) -> list[str]:
        """Wait until the next minute's call is over, of which the database can keep nothing; answers what cron mailed."""
        time.sleep(60 - time.time() % 60 + 5 + MAIL_COMES_S)
        return self._daemon.fresh_mails()


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
            assert day.minute() == ("ok", []), "a quiet success prints nothing"
            assert "does anybody call it" not in place.do("check")

            soc.open("NB", wanted)
            assert day.minute() == ("ok", [])
            assert len(people.messages) == 1, "the student hears that the section is open"

            soc.lasting_faults["NB"] = "html"
            outcome, mails = day.minute()
            assert (outcome, len(mails)) == ("failed", 1)
            assert mails[0].startswith("soc_sections: failed: ")
            assert day.minute() == ("failed", []), "told once"
            assert "soc_sections" in people.titles[-1], "the operator hears of the second failure in a row"

            soc.lasting_faults.clear()
            downgraded(place)
            assert day.minute() == ("ok", []), "mended and upgraded in the same minute"
            assert "again" in people.titles[-1] or "recovered" in people.titles[-1] or "well" in people.titles[-1]
            assert place.sql("SELECT plugin FROM purity") == [("soc_sections",)]

            with daemon.full_disk():
                (mail,) = day.minute_without_a_row()
                assert "soc_sections: " in mail
                assert day.minute_without_a_row() == [], "told once"
            outcome, mails = day.minute()
            assert (outcome, mails) == ("ok", [])

            refused = run_as_nobody(tmp_path, place.env, "run", "soc_sections")
            assert (refused.returncode, "sudo" in refused.stderr or "belongs to root" in refused.stderr) == (2, True)
            assert run_as_nobody(tmp_path, place.env, "status").returncode == 0
            assert day.minute() == ("ok", []), "nobody left anything that is in the way"
        sent = [request.path for request in people.requests]
        assert sent == ["/student", "/operator", "/operator"], "nothing was lost or doubled"
        assert place.do("db", "check").endswith("ok\n")
