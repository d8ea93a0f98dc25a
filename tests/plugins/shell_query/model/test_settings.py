"""Settings that make no sense are refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.shell_query.place import Place


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"auth_url": "ftp://x"}, "auth_url"),
        ({"auth_url": "http://"}, "auth_url"),
        ({"auth_url": "https://127.0.0.1/a b"}, "auth_url"),
        ({"auth_url": "https://127.0.0.1/v2/token"}, "auth_url ends behind its host"),
        ({"auth_url": "https://127.0.0.1/?a=b"}, "auth_url ends behind its host"),
        ({"auth_url": "https://127.0.0.1/#a"}, "auth_url ends behind its host"),
        ({"auth_url": "https://somebody:pass@127.0.0.1"}, "auth_url ends behind its host"),
        ({"initial_delay": "1m"}, "initial_delay"),
        ({"initial_delay": "0s"}, "initial_delay"),
        ({"rowset_delay": "9s"}, "rowset_delay"),
        ({"stuck_after": "30m"}, "stuck_after"),
        ({"confirmation_gap": "30m"}, "confirmation_gap"),
        ({"completed_date_after": "30m"}, "completed_date_after"),
        ({"row_probe_after": "30m"}, "row_probe_after"),
        ({"max_duration": "25h"}, "max_duration"),
        ({"sweep_after": "400d"}, "longer than a year"),
        ({"backoff": 0.5}, "backoff"),
        ({"jitter": 1.0}, "jitter"),
        ({"max_polls": 0}, "max_polls"),
        ({"confirmations": 0}, "confirmations"),
        ({"rowset_attempts": 0}, "rowset_attempts"),
        ({"max_active": 0}, "max_active"),
        ({"account_id": -1}, "account_id"),
        ({"client_idd": "x"}, "client_idd"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(place: Place, settings: dict[str, Any], why: str) -> None:
    place.configure(**settings)
    place.do("run", "shell_query", code=2)
    assert why in place.stderr
