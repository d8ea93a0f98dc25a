from __future__ import annotations

from pathlib import Path

import pytest
from plugin_package import write_settings

from pollctl.cli import start


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999"])
@pytest.mark.parametrize("command", ["show", "samples", "cancel"])
def test_a_number_that_no_job_can_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str, number: str
) -> None:
    write_settings(tmp_path, "[plugins.latency]")
    monkeypatch.chdir(tmp_path)
    assert start(["latency", command, "--", number]) == 2
    assert "is not in the range" in capfd.readouterr().err
