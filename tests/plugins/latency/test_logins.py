"""A login in a target is sent to it and shown nowhere."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from plugins.latency.place import NOON, Place
from plugins.latency.world import World
from pytest_httpserver import HTTPServer
from sqlite_utils import Database
from werkzeug import Request, Response

from pollctl_latency.client.targets import shown, split_login, with_login
from pollctl_latency.migrations import migrations

PASSWORD = "s3same-0pen"
LOGIN = f"anna:{PASSWORD}"
BASIC = f"Basic {b64encode(LOGIN.encode()).decode()}"


@pytest.fixture
def address(httpserver: HTTPServer) -> Callable[[str], str]:
    """An address of a server that says out loud what it is told, with a login or without."""

    def echo(request: Request) -> Response:
        told = request.headers.get("Authorization", "")
        return Response(told, status=200 if told == BASIC else 401)

    httpserver.expect_request("/").respond_with_handler(echo)
    return lambda login: httpserver.url_for("/").replace("://", f"://{login}@" if login else "://")


def everything(place: Place) -> str:
    """All that the database holds, but for the one column in which a login belongs."""
    with closing(sqlite3.connect(place.folder / "pollctl.db")) as db:
        db.execute("UPDATE latency_jobs SET login = NULL")
        return "\n".join(db.iterdump())


def test_a_target_gets_its_login_and_nobody_else_hears_of_it(place: Place, address: Callable[[str], str]) -> None:
    place.configure(record="all")
    words = ("--cadence", "1s", "--duration", "1s", "--notify", "json://127.0.0.1:9/crew")
    said = [place.do("latency", "add", address(LOGIN), *words, "--json", now=NOON)]
    assert json.loads(said[0])["target"] == address("***")
    said.append(json.dumps(place.run(NOON)))
    assert place.statuses(address("***")) == ["success"]

    said += [place.do(*words) for words in (("latency", "jobs"), ("latency", "show", "1"), ("metrics",), ("status",))]
    said.append(place.do("run", "latency", "--json", now="2026-03-08T12:00:02Z", code=3))
    said += [place.do("outbox", "list", "--json"), place.do("history", "--json"), place.do("replay", "--all")]
    assert address("***") in said[-3]
    for text in [*said, everything(place)]:
        assert PASSWORD not in text
        assert BASIC.split()[1] not in text


def test_a_login_that_another_program_put_into_a_target_is_sent_and_hidden_too(
    place: Place, address: Callable[[str], str]
) -> None:
    place.insert(address(LOGIN), started_at=NOON, probe="http")
    ran = json.dumps(place.run(NOON))
    plan = place.do("plan", "latency", "--json", now="2026-03-08T12:02:00Z")

    assert place.sql("SELECT status FROM latency_samples") == [("success",)]
    for text in (ran, plan, place.do("latency", "jobs", "--json"), place.do("metrics"), place.do("status")):
        assert PASSWORD not in text


@pytest.mark.parametrize(
    "target", [f"http://anna:{PASSWORD}/x@host/", f"{LOGIN}@host:5432", f"{LOGIN}@host", f"ftp://{LOGIN}@host/"]
)
def test_a_target_that_is_refused_is_not_repeated_with_its_login(place: Place, target: str) -> None:
    said = place.do("latency", "add", target, code=2) + place.stderr
    assert "***@host" in said
    assert PASSWORD not in said


def test_the_same_target_with_another_login_is_another_job(place: Place, address: Callable[[str], str]) -> None:
    place.add(address(LOGIN))
    place.add(address("berta:other"))
    place.do("latency", "add", address(LOGIN), code=1)
    assert "already" in place.stderr


def test_logins_move_out_of_the_targets_of_an_earlier_version() -> None:
    db = Database(memory=True)
    migrations.apply(db, stop_before="m002_logins")
    rows = [("http://a:b@host/", "http"), ("http://host/x@y", "http"), ("192.0.2.7", "api")]
    db.conn.executemany("INSERT INTO latency_jobs (target, probe) VALUES (?, ?)", rows)
    migrations.apply(db)
    assert db.execute("SELECT target, login FROM latency_jobs ORDER BY id").fetchall() == [
        ("http://***@host/", "a:b"),
        ("http://host/x@y", None),
        ("192.0.2.7", None),
    ]
    db.close()


@pytest.mark.parametrize(
    ("target", "kept", "login"),
    [
        ("http://a:b@host/x", "http://***@host/x", "a:b"),
        ("https://a@b@host", "https://***@host", "a@b"),
        ("http://host/x?mail=a@b", "http://host/x?mail=a@b", ""),
        ("http://a:%20%40@[::1]:80/", "http://***@[::1]:80/", "a:%20%40"),
    ],
)
def test_a_target_is_split_and_put_together_again(target: str, kept: str, login: str) -> None:
    assert split_login(target) == (kept, login)
    assert with_login(kept, login) == target
    assert not login or login not in shown(target)


def test_a_login_is_no_part_of_what_the_rules_look_at(world: World) -> None:
    from pollctl_latency.store.jobs import jobs_by_id, logins

    job_id = world.add_job(target="http://***@host/", login=LOGIN, probe="http")
    assert logins(world.db, [job_id]) == {job_id: LOGIN}
    assert LOGIN not in repr(jobs_by_id(world.db, [job_id])[job_id])


def test_the_database_is_where_a_login_stays(place: Place, address: Callable[[str], str]) -> None:
    place.add(address(LOGIN))
    assert place.sql("SELECT login FROM latency_jobs") == [(LOGIN,)]
    assert Path(place.folder, "pollctl.db").stat().st_mode & 0o077 == 0
