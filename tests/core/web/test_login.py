"""pollctl web: who gets in, how it begins and ends, and what it says where it cannot be had (rule 7)."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from core.web.served import Served, serving
from full_database import lay_out
from other_users import NOBODY, as_root
from plugin_package import Env, clean_environment, command, run_pollctl, spawn_pollctl

pytest.importorskip("datasette")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web")
    lay_out(folder, is_full=True)
    return folder


@pytest.fixture
def env(folder: Path) -> Env:
    return clean_environment(folder)


@pytest.fixture
def served(folder: Path, env: Env) -> Iterator[Served]:
    with serving(folder, env) as found:
        yield found


def test_the_address_that_is_printed_lets_in_once(served: Served) -> None:
    entered = served.log_in()
    assert (entered.status, entered.headers["location"]) == (303, "/")
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert served.ask("/").status == 200
    again = served.ask(served.login.partition(f":{served.port}")[2], cookie="")
    assert (again.status, again.headers.get("set-cookie")) == (403, None)


@pytest.mark.parametrize("path", ["/", "/pollctl", "/pollctl/runs.json", "/-/static/app.css", "/-/plugins.json", "/no"])
def test_without_the_cookie_there_is_nothing(served: Served, path: str) -> None:
    assert served.ask(path).status == 403
    assert served.ask(path, cookie=f"pollctl-web-{served.port}=guess").status == 403


def test_a_wrong_token_and_a_look_at_the_right_one_use_nothing_up(served: Served) -> None:
    path = served.login.partition(f":{served.port}")[2]
    assert served.ask(f"{path}x").status == 403
    assert served.ask("/-/login").status == 403
    assert served.ask(path, method="HEAD").status == 403
    assert served.log_in().status == 303


@pytest.mark.parametrize(
    "host", ["evil.example.net", "evil.example.net:8001", "127.0.0.1.evil.example.net", "10.0.0.1"]
)
def test_a_foreign_host_is_refused_even_with_the_address_and_the_cookie(served: Served, host: str) -> None:
    path = served.login.partition(f":{served.port}")[2]
    assert served.ask(path, host=host).status == 421
    served.log_in()
    assert served.ask("/", host=host).status == 421


@pytest.mark.parametrize("host", ["localhost:9001", "127.0.0.1:9001", "[::1]:8001", "localhost"])
def test_the_other_end_of_a_tunnel_is_no_foreign_host(served: Served, host: str) -> None:
    served.log_in()
    assert served.ask("/", host=host).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_looking_is_answered(served: Served, method: str) -> None:
    served.log_in()
    assert served.ask("/-/messages", method=method).status == 405


def test_every_answer_forbids_foreign_requests_and_frames_and_is_not_kept(served: Served) -> None:
    served.log_in()
    for answer in (served.ask("/"), served.ask("/pollctl/runs.json"), served.ask("/", cookie="")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src-attr 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_cookies_of_other_programs_on_this_host_do_not_lock_out(served: Served) -> None:
    served.log_in()
    assert served.ask("/", cookie=f'broken="a;b; {served.cookie}; x').status == 200


def test_it_answers_on_the_loopback_device_alone(served: Served) -> None:
    found = Path("/proc/net/tcp").read_text().splitlines()
    listening = [line.split()[1] for line in found if line.split()[3] == "0A"]
    assert [one for one in listening if int(one.rpartition(":")[2], 16) == served.port] == [
        f"0100007F:{served.port:04X}"
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(served: Served, number: int) -> None:
    served.log_in()
    code, said = served.end(number)
    assert (code, "Traceback" in said) == (0, False)


def test_it_is_ready_in_two_seconds_of_processor_time(folder: Path, env: Env) -> None:
    with serving(folder, env) as served:
        served.log_in()
        assert served.ask("/").status == 200
        ticks = Path(f"/proc/{served.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        assert sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") < 2


def test_a_unix_socket_is_its_owners_alone_and_goes_with_it(folder: Path, env: Env, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with serving(folder, env, "--uds", str(path)) as served:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(str(path))
            client.sendall(f"GET {served.login.partition('localhost')[2]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 303")
        assert served.end()[0] == 0
    assert not path.exists()


def test_a_path_that_is_taken_is_a_message_and_stays(folder: Path, env: Env, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    path.write_text("mine")
    done = spawn_pollctl(folder, env, "web", "--uds", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"pollctl: {path}: something lies there already; end who listens on it, then remove it, or name another\n"
    )
    assert path.read_text() == "mine"
    path.unlink()
    with closing(socket.socket(socket.AF_UNIX)) as other:
        other.bind(str(path))
        assert "a socket lies there already" in spawn_pollctl(folder, env, "web", "--uds", str(path)).stderr


def test_a_path_where_no_socket_can_be_made_is_a_message(folder: Path, env: Env, tmp_path: Path) -> None:
    path = tmp_path / "gone" / "web.sock"
    done = spawn_pollctl(folder, env, "web", "--uds", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"pollctl: {path}: No such file or directory; name another path\n"


def test_what_is_said_of_a_socket_says_where_the_port_of_a_tunnel_goes(folder: Path, env: Env, tmp_path: Path) -> None:
    with serving(folder, env, "--uds", str(tmp_path / "web.sock")) as served:
        _, said = served.end()
    assert "through a tunnel, put its port after localhost, as in localhost:8001" in said


def test_a_busy_port_is_a_message(folder: Path, env: Env) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        done = spawn_pollctl(folder, env, "web", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"pollctl: 127.0.0.1:{port}: Address already in use; `--port` names another\n"


def test_a_missing_database_is_a_message(tmp_path: Path) -> None:
    done = spawn_pollctl(tmp_path, clean_environment(tmp_path), "web", "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no database yet; `pollctl init` or the first pass creates it" in done.stderr


def test_a_database_of_a_newer_schema_is_a_message(tmp_path: Path) -> None:
    lay_out(tmp_path, is_full=False)
    with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db, db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('latency', 'm999_tomorrow')")
    done = spawn_pollctl(tmp_path, clean_environment(tmp_path), "web", "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "made by a newer latency (it has m999_tomorrow, unknown here); update it" in done.stderr


@as_root
def test_a_database_of_another_user_is_refused(tmp_path: Path) -> None:
    """It is opened to be written: root's journals would lock the owner out."""
    lay_out(tmp_path, is_full=False)
    os.chown(tmp_path / "pollctl.db", NOBODY, NOBODY)
    done = spawn_pollctl(tmp_path, clean_environment(tmp_path), "--config", "pollctl.toml", "web", "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the database belongs to" in done.stderr


def test_a_signal_that_it_was_started_to_ignore_does_not_end_it(folder: Path, env: Env) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with serving(folder, env) as served:
            served.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            assert served.log_in().status == 303
    finally:
        signal.signal(signal.SIGHUP, before)


def test_without_the_extra_it_says_what_is_needed_and_how_to_get_it(folder: Path, env: Env, tmp_path: Path) -> None:
    (tmp_path / "datasette.py").write_text("raise ImportError('not here')\n")
    done = spawn_pollctl(folder, env | {"PYTHONPATH": f"{tmp_path}:{env.get('PYTHONPATH', '')}"}, "web")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "pollctl: web needs Datasette: pip install 'pollctl[web]'\n"


def test_a_socket_goes_without_a_port_and_a_browser(folder: Path, env: Env) -> None:
    for more in (["--open"], ["--port", "8001"]):
        done = run_pollctl(folder, env, "web", "--uds", "x.sock", *more)
        assert (done.returncode, "--uds goes without" in done.stderr) == (2, True)


def test_a_browser_is_told_the_address_through_a_page_that_only_this_user_can_read(
    folder: Path, env: Env, tmp_path: Path
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\nstat -c %a "$(dirname "${{1#file://}}")" >{tmp_path}/mode\necho "$1" >{tmp_path}/seen\n'
    )
    browser.chmod(0o755)
    with serving(folder, env | {"BROWSER": f"{browser} %s"}, "--port", "0", "--open") as served:
        token = served.login.partition("token=")[2]
        deadline = time.monotonic() + 10
        while not (tmp_path / "seen").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        seen = (tmp_path / "seen").read_text().strip()
        assert token not in seen
        assert (tmp_path / "mode").read_text().strip() == "700"
        assert served.login in Path(seen.removeprefix("file://")).read_text()
        served.end()
    assert not Path(seen.removeprefix("file://")).exists()


def test_help_imports_neither_datasette_nor_a_server(folder: Path, env: Env) -> None:
    words = command("web", "--help")
    words[1:1] = ["-X", "importtime"]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=True)
    assert "datasette" not in done.stderr
    assert "uvicorn" not in done.stderr
