"""``host_id`` pins what ``H`` and ``jitter`` are spread by, whatever the machine is called."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pollctl.config import settings
from pollctl.due import selection

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)


def slot(folder: Path, core: str) -> object:
    path = folder / "pollctl.toml"
    path.write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{core}\n[plugins.latency]\nschedule = "H H * * *"\n')
    (found,) = selection.next_slots(settings.load(path), NOON, 1).values()
    return found


def name_machine(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    uname = type("uname", (), {"nodename": name})
    monkeypatch.setattr("os.uname", lambda: uname)


def test_without_it_another_machine_has_another_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("pod-1", "pod-2", "pod-3"):
        name_machine(monkeypatch, name)
        found.append(str(slot(tmp_path, "")))
    assert len(set(found)) > 1


def test_with_it_the_slot_stays_whatever_the_machine_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for name in ("pod-1", "pod-2", "pod-3"):
        name_machine(monkeypatch, name)
        found.add(str(slot(tmp_path, 'host_id = "site-a"')))
    assert len(found) == 1
