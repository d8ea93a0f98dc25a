"""People are notified of plugins that keep failing, and of their recovery."""

from __future__ import annotations

import json
from typing import Any

from core.parrot import Parrot
from sample_plugin import parrot_source


def test_after_repeated_failures_people_are_told_once_and_again_when_it_recovers(
    parrot: Parrot, httpserver: Any
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("")
    core = f"[pollctl.notify]\nurls = ['{httpserver.url_for('/hook').replace('http', 'json')}']\nalert_after = 3"
    parrot.teach(parrot_source(fetch="(run):\n    raise OSError('the line is dead')\n    yield\n"), "", core)
    for minute in range(5):
        parrot.report(now=f"2026-01-01T00:0{minute}:00Z", code=1)
    assert len(httpserver.log) == 1
    assert "parrot keeps failing" in httpserver.log[0][0].get_data(as_text=True)
    parrot.report(now="2026-01-01T06:02:00Z", code=1)
    assert len(httpserver.log) == 2
    parrot.teach(parrot_source(), "", core)
    parrot.report(now="2026-01-01T06:03:00Z")
    parrot.report(now="2026-01-01T06:04:00Z")
    assert len(httpserver.log) == 3
    assert "parrot recovered" in httpserver.log[2][0].get_data(as_text=True)
    keys = {request.headers["Idempotency-Key"] for request, _ in httpserver.log}
    assert len(keys) == 3
    assert "/hook" not in json.dumps(parrot.rows("SELECT payload FROM outbox"))


def test_people_are_told_of_a_plugin_whose_every_pass_is_killed(parrot: Parrot, httpserver: Any) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("")
    core = f"[pollctl.notify]\nurls = ['{httpserver.url_for('/hook').replace('http', 'json')}']\nalert_after = 2"
    parrot.teach(parrot_source(fetch="(run):\n    os.kill(os.getpid(), 9)\n    yield\n"), "", core)
    for minute in range(5):
        assert parrot.spawn("run", "parrot", now=f"2026-01-01T00:0{minute}:00Z").returncode == -9
    assert len(httpserver.log) == 1
    assert "parrot keeps failing" in httpserver.log[0][0].get_data(as_text=True)
    parrot.teach(parrot_source(), "", core)
    parrot.report(now="2026-01-01T06:03:00Z")
    assert "parrot recovered" in httpserver.log[-1][0].get_data(as_text=True)


def test_core_alerts_wait_for_no_plugin_to_be_mended(parrot: Parrot, httpserver: Any) -> None:
    httpserver.expect_oneshot_request("/hook").respond_with_data("", status=500)
    core = f"[pollctl.notify]\nurls = ['{httpserver.url_for('/hook').replace('http', 'json')}']\nalert_after = 1"
    parrot.teach("raise ImportError('gone')", "", core)
    parrot.report(now="2026-01-01T00:00:00Z", code=1)
    httpserver.expect_request("/hook").respond_with_data("")
    parrot.report(now="2026-01-01T00:10:00Z", code=1)
    assert parrot.rows("SELECT status FROM outbox") == ["delivered"]
