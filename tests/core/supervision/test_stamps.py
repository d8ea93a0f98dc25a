"""Where `due --run` notes what it printed while no database can be written."""

from __future__ import annotations

import platformdirs
import pytest

from pollctl.supervision.stamps import _state_folder


@pytest.fixture(autouse=True)
def _way_of_starting() -> None:
    """No process is started here: once is enough."""


@pytest.mark.parametrize("named", ["", " ", "/srv/state", "state", "./state"])
def test_the_state_folder_is_that_of_platformdirs(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """But that a relative one is ignored, as the XDG specification says; not every platformdirs does."""
    monkeypatch.setenv("XDG_STATE_HOME", named)
    found = _state_folder()
    if not named.startswith("/"):
        monkeypatch.delenv("XDG_STATE_HOME")
    assert found.is_absolute()
    assert found == platformdirs.user_state_path("pollctl")
