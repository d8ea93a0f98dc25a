"""Where the tests of toilet_gap happen: a folder with settings and a database, whose passes meet an event service."""

from __future__ import annotations

import io
import json
import os
import subprocess
from contextlib import redirect_stderr
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import place
import pytest
from plugins.toilet_gap.sqs_server import AWS, Queue

from pollctl import to_text
from pollctl.concurrency.cancellation import Stop
from pollctl.config.settings import load as load_config
from pollctl.passes.engine import run_pass
from pollctl.plugin_host.discovery import Found, find
from pollctl_toilet_gap.fake import FakeEventService
from pollctl_toilet_gap.model import Settings

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PILOT: dict[str, object] = {
    "name": "pilot",
    "robot_id": "r-1",
    "timezone": "Europe/Amsterdam",
    "start": "08:00",
    "end": "20:00",
}


def local(text: str, zone: ZoneInfo = AMSTERDAM, day: str = "2025-11-12") -> datetime:
    """A wall-clock time ``09:30`` of the example day, or ``2026-03-29 01:00+02:00``, in UTC."""
    if "+" in text:
        return datetime.fromisoformat(text).astimezone(UTC)
    whole = text if " " in text else f"{day} {text}"
    return datetime.fromisoformat(whole).replace(tzinfo=zone).astimezone(UTC)


OBSERVED, LATE, OUTSIDE = "EVENT_OBSERVED", "EVENT_LATE", "EVENT_OUTSIDE"
ALARM, CHANGED = "ALARM_SENT", "CONFIG_CHANGED"
EXIT_CODES = {"ok": 0, "failed": 1, "partial": 3}


@cache
def _found() -> Found:
    """Looking through all that is installed takes as long as a pass."""
    return find("toilet_gap")


class Place(place.Place):
    """A settings file and a database; commands run in this process unless they are started in one of their own."""

    def __init__(self, folder: Path, service: FakeEventService, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, **AWS)
        self.service = service
        self.queue: Queue | None = None
        self.zone = AMSTERDAM
        self.day = "2025-11-12"
        self._patch = monkeypatch
        self.monitors: list[dict[str, object]] = [dict(PILOT)]
        self.more: dict[str, object] = {}
        self.core = ""
        self.configure()

    def configure(self, *monitors: dict[str, object], **more: object) -> None:
        """Write the settings; what is not given stays as it was."""
        self.monitors = list(monitors) or self.monitors
        self.more |= more
        section = self.service.settings(*self.monitors, **self.more)
        (self.folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{self.core}\n{section}\n')

    def first_check_is(self, number: int) -> None:
        """Let the next check have this id."""
        self.pollctl("toilet-gap", "seed-template", now=self.at("00:00"))
        self.sql("INSERT INTO sqlite_sequence VALUES ('status_check', ?)", [number - 1])

    def at(self, text: str) -> str:
        return to_text(local(text, self.zone, self.day))

    def visit(self, text: str, robot_id: str = "r-1", **more: Any) -> dict[str, Any]:
        return self.service.visit(robot_id, local(text, self.zone, self.day), **more)

    def pollctl(self, *words: str, now: str = "2025-11-12T12:00:00Z", code: int = 0) -> str:
        return self.do(*words, now=now, code=code)

    def run(self, text: str, code: int = 0) -> Any:
        """One whole pass at a wall-clock time, in this process, without the command line."""
        self.service.now = local(text, self.zone, self.day)
        self._patch.setenv("POLLCTL_NOW", to_text(self.service.now))
        err = io.StringIO()
        with redirect_stderr(err):
            config = load_config(self.folder / "pollctl.toml", os.environ)
            report = run_pass(config, _found(), trigger="manual", stop=Stop())
        self.stderr = err.getvalue()
        assert EXIT_CODES[report.outcome] == code, (report, self.stderr)
        return msgspec.to_builtins(report)

    def passes(self, *texts: str) -> None:
        for text in texts:
            self.run(text)

    def answer(self, *words: str) -> Any:
        return json.loads(self.pollctl("toilet-gap", *words, "--json"))

    def start(self, text: str, *words: str) -> subprocess.Popen[str]:
        """A pass in a process of its own."""
        self.service.now = local(text, self.zone, self.day)
        return self.popen(*(words or ("run", "toilet_gap", "--json")), now=to_text(self.service.now))

    def plugin_settings(self) -> Settings:
        """The plugin's section as a pass reads it."""
        config = load_config(self.folder / "pollctl.toml", os.environ)
        settings = config.settings("toilet_gap", Settings, {})
        assert isinstance(settings, Settings)
        return settings

    def run_command(self, text: str, code: int = 0) -> Any:
        """One whole pass by its command line."""
        self.service.now = local(text, self.zone, self.day)
        return json.loads(self.do("run", "toilet_gap", "--json", now=to_text(self.service.now), code=code))

    def run_apart(self, text: str, code: int = 0) -> Any:
        """One whole pass in a process of its own."""
        process = self.start(text)
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, (out, err)
        self.stderr = err
        return json.loads(out)

    def happened(self, check: int = 0) -> list[tuple[str, str]]:
        """What happened, as names and local times, without how the day began and ended."""
        rows = self.sql(
            """SELECT event_name, event_at FROM status_check_record WHERE (?1 = 0 OR status_check_id = ?1)
               AND event_name NOT IN ('STARTED', 'SUBSCRIBED', 'ENDED') ORDER BY status_check_id, "order" """,
            [check],
        )
        return [(name, self.clock(at)) for name, at in rows]

    def clock(self, at: str) -> str:
        moment = datetime.fromisoformat(at).astimezone(self.zone)
        return f"{moment:%H:%M:%S}".removesuffix(":00")

    def window(self, check: int = 0) -> tuple[str, str]:
        ((since, until),) = self.sql(
            "SELECT since, until FROM status_check_poller WHERE ?1 = 0 OR status_check_id = ?1", [check]
        )
        return self.clock(since), self.clock(until)

    def check(self, columns: str = "phase, result", number: int = 0) -> Any:
        (row,) = self.sql(f"SELECT {columns} FROM status_check WHERE ?1 = 0 OR id = ?1", [number])
        return row if len(row) > 1 else row[0]

    def dead_letters(self) -> list[str]:
        return [reason for (reason,) in self.sql("SELECT reason FROM status_check_dead_letter ORDER BY id")]


def queue_of(place: Place) -> Queue:
    assert place.queue
    return place.queue


def body(
    at: str, *, subscription: str = "sub-1", robot: str = "r-1", name: str = "TOILET_ACTIVITY", **more: Any
) -> str:
    moment = to_text(local(at))
    source = {"id": f"{robot}@{moment}", "robotId": robot, "eventName": name, "createdAt": moment, **more}
    return json.dumps({"subscriptionId": subscription, "sourceEvent": source})
