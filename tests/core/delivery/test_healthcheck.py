"""The dead man's switch hears of every `due --run` with passes (core §5, Healthchecks-compatible)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import indent

import pytest
from core.supervision.supervised import Supervised
from pytest_httpserver import HTTPServer

pytestmark = pytest.mark.slow

OK = "yield Batch(1)"
FAIL = "raise ValueError('out of beans')"
END_OTHERWISE = "import atexit\natexit.register(os._exit, 5)\n"


def place_with(tmp_path: Path, server: HTTPServer, fetch: str, path: str = "/ping/uuid") -> Supervised:
    place = Supervised(tmp_path)
    place.fetching("alpha", fetch)
    place.settings("[pollctl.healthcheck]", f'url = "{server.url_for(path)}"', "[plugins.alpha]", 'backoff = "0s"')
    return place


@pytest.mark.parametrize(
    ("fetch", "path", "code", "body"),
    [
        (OK, "/ping/uuid", 0, "alpha: ok"),
        (
            "run.reached('south'); run.failed('north', 'no answer')\n" + OK,
            "/ping/uuid",
            3,
            "alpha: partial: north: no answer",
        ),
        (FAIL, "/ping/uuid/fail", 1, "alpha: failed: "),
        (END_OTHERWISE + OK, "/ping/uuid/fail", 1, "alpha: the pass was ok, but its process ended with exit code 5"),
    ],
    ids=["ok", "partial", "failed", "ended otherwise"],
)
def test_passes_are_told_to_the_switch(
    tmp_path: Path, httpserver: HTTPServer, fetch: str, path: str, code: int, body: str
) -> None:
    httpserver.expect_request(path, method="POST").respond_with_data("OK")
    place = place_with(tmp_path, httpserver, fetch)
    done = place.due_run()
    assert done.returncode == code
    assert "healthcheck" not in done.stderr
    ((request, _),) = httpserver.log
    assert request.path == path
    assert request.get_data(as_text=True).startswith(body)


def test_a_process_that_ended_otherwise_than_its_pass_is_told_until_the_next_pass_of_its_plugin(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(re.compile("/ping/uuid.*")).respond_with_data("OK")
    place = place_with(
        tmp_path, httpserver, f"if not (here / 'is good').exists():\n{indent(END_OTHERWISE + OK, '    ')}\n{OK}"
    )
    place.fetching("beta", OK)
    with (place.folder / "pollctl.toml").open("a") as settings:
        settings.write('schedule = "*/2 * * * *"\n[plugins.beta]\n')
    for minute in range(2):
        place.due_run(minute=minute)
    (place.folder / "is good").touch()
    place.due_run(minute=2)
    assert [request.path for request, _ in httpserver.log] == ["/ping/uuid/fail", "/ping/uuid/fail", "/ping/uuid"]


def test_nothing_due_is_not_told(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/ping/uuid", method="POST").respond_with_data("OK")
    place = place_with(tmp_path, httpserver, OK)
    place.due_run()
    place.due_run()
    assert len(httpserver.log) == 1


def test_a_query_stays_behind_the_path(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/key/slug/fail", method="POST", query_string="create=1").respond_with_data("OK")
    place = place_with(tmp_path, httpserver, FAIL, "/key/slug?create=1")
    assert "healthcheck" not in place.due_run().stderr


def test_a_switch_that_cannot_be_told_is_one_line_and_changes_nothing_else(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/ping/uuid").respond_with_data("gone", status=404)
    done = place_with(tmp_path, httpserver, OK).due_run()
    assert (done.returncode, done.stderr) == (0, "healthcheck: it answered 404\n")


def test_an_address_that_is_none_keeps_no_pass_from_running_and_is_named_as_check_names_it(tmp_path: Path) -> None:
    place = Supervised(tmp_path)
    place.fetching("alpha", OK)
    section = ("[plugins.alpha]", 'healthcheck = "secret words"', 'backoff = "0s"')
    place.settings("[pollctl.healthcheck]", 'url = "htp://secret"', *section)
    first, again = place.due_run(minute=0), place.due_run(minute=1)
    said = [f"pollctl.toml: {key}: it is not an http or https address"
            for key in ("pollctl.healthcheck.url", "plugins.alpha.healthcheck")]  # fmt: skip
    assert (first.returncode, first.stderr.splitlines()) == (0, said)
    assert (again.returncode, again.stderr) == (0, ""), "told once, until a day has passed"
    failures = [row["text"] for row in json.loads(place.do("check", "--json", code=2)) if row["level"] == "FAIL"]
    assert failures == said


def test_the_address_is_a_secret(tmp_path: Path, httpserver: HTTPServer) -> None:
    place = place_with(tmp_path, httpserver, OK)
    place.settings("[pollctl.healthcheck]", 'url = "http://127.0.0.1:1/ping/my-secret-uuid"', "[plugins.alpha]")
    done = place.due_run()
    assert done.returncode == 0
    assert done.stderr.startswith("healthcheck: ")
    assert "my-secret-uuid" not in done.stderr


def test_trouble_with_the_switch_is_told_once_until_it_answers_again(tmp_path: Path, httpserver: HTTPServer) -> None:
    place = place_with(tmp_path, httpserver, OK)
    answers = ["no", "no", "OK", "no"]
    told = []
    for minute, answer in enumerate(answers):
        httpserver.clear()
        httpserver.expect_request("/ping/uuid").respond_with_data("", status=200 if answer == "OK" else 503)
        done = place.due_run(minute=minute)
        assert done.returncode == 0
        told.append(done.stderr.count("healthcheck: "))
    assert told == [1, 0, 0, 1]
    assert "healthcheck" not in place.due_run("status", minute=5).stdout
