"""What `pollctl demo` shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from pollctl.demo import DemoSession


def test_it_shows_a_day_with_one_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pollctl.cli import start
    from pollctl_toilet_gap.demo import run

    with DemoSession(tmp_path, start) as session:
        run(session)
    shown = capsys.readouterr().out
    assert shown.count("!  alarm 1-") == 1
    assert shown.count("to nurse: room-12: no visit") == 1
    assert "The robot was last heard of: 2026-03-02 15:05 UTC" in shown
    assert "1 event of a watched robot cannot be read" in shown
    assert session.failures == []
    assert "no TOILET_ACTIVITY from" in shown
