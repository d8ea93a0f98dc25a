"""Known secrets in every credential of every plugin, through every error: none comes out anywhere.

Each command is a process of its own: what masks secrets must not know them from an earlier one. What the database holds
on purpose is named column by column in tests/harness/canaries.py. ``POLLCTL_CAMPAIGN=full`` goes through every fault.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from canaries import COOKIE, FAULTS, PLUGINS, Parrot, Planted
from hostile_server import HostileServer
from plugin_package import clean_environment, make_plugin_package, spawn_pollctl, write_settings

from pollctl.testing.suite.hostile import spellings

pytestmark = pytest.mark.slow

TRIED = (
    list(FAULTS)
    if os.environ.get("POLLCTL_CAMPAIGN") == "full"
    else ["401", "reason", "json", "redirect", "token rubbish"]
)
LEAK = """
import os, threading
import msgspec
from pollctl import Secret, hookimpl

def every(value):
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from every(getattr(value, name))
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from every(one)
    elif isinstance(value, str):
        yield value

@hookimpl(wrapper=True)
def pollctl_fetch(run):
    batches = yield
    said = " and ".join(every(run.settings))
    if os.environ.get("LEAK") == "raise":
        raise RuntimeError(said)
    if os.environ.get("LEAK") == "say":
        run.log(said)
        run.failed(said, said)
        def shout():
            raise RuntimeError(said)
        threading.Thread(target=shout).start()
    return batches
"""
"""A wrapper that knows all settings and keeps none to itself."""
CORE = """
[pollctl.http]
timeout = "1s"
[pollctl.outbox]
backoff = "1ms"
[pollctl.notify]
urls = ["json://canary-core-notify@127.0.0.1:9"]
alert_after = 1
[pollctl.healthcheck]
url = "http://127.0.0.1:9/canary-core-ping"
"""
CORE_SECRETS = ("canary-core-notify", "canary-core-ping", COOKIE)
LOOKS = (
    ("status",), ("status", "--json"), ("why",), ("history", "--json"), ("show", "RUN"), ("replay", "--all", "--json"), ("check",),
    ("plugins", "--json"), ("outbox", "list", "--json"), ("metrics",), ("metrics", "--textfile", "metrics.prom"), ("report",), ("report", "--json"),
    ("db", "backup", "backup.db"), ("--debug", "check", "--json"), ("due", "--next", "2"),
)  # fmt: skip


class Aviary:
    """All plugins in one place, their secrets, and all that was said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parrot = Parrot()
        self.said: list[str] = []
        self.planted: dict[str, Planted] = {}
        self.env = make_plugin_package(folder.parent, "leak", LEAK, group="pollctl.wrappers") | {
            "HOME": str(folder.parent)
        }

    def settle_in(self, url: str) -> None:
        self.planted = {name: plant(url) for name, plant in PLUGINS.items()}
        (self.folder / "client-secret").write_text("canary-stockx secret+1")
        (self.folder / "client-secret").chmod(0o600)
        common = 'record = "all"\nbackoff = "0s"\ndeadline = "15s"'
        write_settings(self.folder, common, CORE, *(one.section for one in self.planted.values()))
        for one in self.planted.values():
            self.env |= one.environ
        for one in self.planted.values():
            for words in one.commands:
                assert self.pollctl(*words) == 0, self.said[-1]

    def pollctl(self, *words: str, **more: str) -> int:
        done = spawn_pollctl(self.folder, self.env | more, *words)
        self.said.append(f"{words[:2]} (fault {self.parrot.fault}, {more}): {done.stdout}{done.stderr}")
        return done.returncode

    @property
    def secrets(self) -> list[str]:
        return [*CORE_SECRETS, *(secret for one in self.planted.values() for secret in one.secrets)]

    @property
    def kept(self) -> Mapping[str, Sequence[str]]:
        return {secret: columns for one in self.planted.values() for secret, columns in one.kept.items()}

    def columns_with(self, secret: str) -> set[str]:
        """Where in the database a secret stands, whatever its spelling."""
        found = set()
        with closing(sqlite3.connect(self.folder / "pollctl.db")) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            for table in tables:
                for column in [row[1] for row in db.execute(f"PRAGMA table_info({table})")]:
                    for spelling in spellings(secret):
                        query = f'SELECT 1 FROM {table} WHERE instr(CAST("{column}" AS TEXT), ?) LIMIT 1'
                        if db.execute(query, [spelling]).fetchone():
                            found.add(f"{table}.{column}")
        return found


@pytest.fixture(scope="module")
def aviary(tmp_path_factory: pytest.TempPathFactory) -> Aviary:
    """The whole story: a pass of every plugin through every fault, crashes, and a look at all that can be looked at."""
    folder = tmp_path_factory.mktemp("aviary") / "here"
    folder.mkdir()
    aviary = Aviary(folder)
    with HostileServer(aviary.parrot) as server:
        aviary.settle_in(server.url.rstrip("/"))
        for fault in TRIED:
            aviary.parrot.fault = fault
            aviary.pollctl("run", *PLUGINS, "--json")
            if fault == "json":  # whose tokens work
                aviary.pollctl("due", "--run")
        for leak in ("raise", "say"):
            for name in PLUGINS:
                aviary.pollctl("run", name, LEAK=leak)
                aviary.pollctl("--debug", "plan", name, "--json", LEAK=leak)
        settings = folder / "pollctl.toml"
        settings.write_text(settings.read_text().replace(server.url.split("//")[0], "https:"))
        aviary.parrot.fault = "tls"
        aviary.pollctl("--debug", "run", *PLUGINS)
    run_id = sqlite3.connect(folder / "pollctl.db").execute("SELECT max(id) FROM runs").fetchone()[0]
    for words in (*LOOKS, *(words for one in aviary.planted.values() for words in one.looks)):
        aviary.pollctl(*(run_id if word == "RUN" else word for word in words))
    return aviary


def test_the_upstream_did_hear_the_secrets(aviary: Aviary) -> None:
    heard = aviary.parrot.heard.decode()
    for secret in (
        'canary-stockx"key&1',
        "canary-stockx secret+1",
        "canary-granted-access",
        "canary-latency-login",
        "canary-soc-login",
        "canary-shell-secret",
        "canary-granted-shell",
        "canary-toilet-login",
        "canary-queue-session",
    ):
        assert any(spelling in heard for spelling in spellings(secret)), secret


def test_nothing_that_was_said_holds_a_secret(aviary: Aviary) -> None:
    leaks = {
        (secret, said[:3000])
        for said in aviary.said
        for secret in [*aviary.secrets, *aviary.kept]
        if any(spelling in said for spelling in spellings(secret))
    }
    assert leaks == set()


def test_no_table_holds_a_secret_but_where_it_must(aviary: Aviary) -> None:
    found = {secret: aviary.columns_with(secret) for secret in [*aviary.secrets, *aviary.kept]}
    allowed = {secret: set(aviary.kept.get(secret, ())) for secret in found}
    assert {secret: columns - allowed[secret] for secret, columns in found.items() if columns - allowed[secret]} == {}


def test_no_file_holds_a_secret_but_the_settings_and_the_database_what_it_keeps(aviary: Aviary) -> None:
    leaks = set()
    for path in aviary.folder.rglob("*"):
        if path.name in ("pollctl.toml", "client-secret") or not path.is_file():
            continue
        content = path.read_bytes()
        held = [] if path.suffix == ".db" else list(aviary.kept)  # settings' secrets may not be in its raw bytes either
        for secret in [*aviary.secrets, *held]:
            leaks |= {(path.name, secret) for spelling in spellings(secret) if spelling.encode() in content}
    assert leaks == set()
    assert {path.name for path in aviary.folder.glob("*.db")} == {"pollctl.db", "backup.db"}


def test_the_threat_model_names_every_column_that_holds_one_on_purpose() -> None:
    page = (Path(__file__).parents[2] / "docs" / "threat-model.md").read_text()
    columns = {
        column for plant in PLUGINS.values() for kept in plant("http://127.0.0.1").kept.values() for column in kept
    }
    assert [column for column in columns if f"`{column}`" not in page] == []


def test_files_with_secrets_are_for_their_owner_alone(aviary: Aviary) -> None:
    for name in ("pollctl.db", "backup.db"):
        assert (aviary.folder / name).stat().st_mode & 0o077 == 0


def test_there_was_enough_to_see(aviary: Aviary) -> None:
    number = len(aviary.secrets) + len(aviary.kept)
    print(
        f"figure: canaries: {number} secrets of {len(PLUGINS)} plugins, {len(TRIED) + 1} faults, {len(aviary.said)} commands"
    )
    with closing(sqlite3.connect(aviary.folder / "pollctl.db")) as db:
        ((recordings,),) = db.execute("SELECT count(*) FROM recordings").fetchall()
        ((effects,),) = db.execute("SELECT count(*) FROM outbox WHERE last_error IS NOT NULL").fetchall()
        started = dict(db.execute("SELECT plugin, count(*) FROM runs GROUP BY plugin"))
    assert {name for name in PLUGINS if started.get(name, 0) <= len(TRIED)} == set()
    assert recordings > len(TRIED)
    assert effects


def test_a_login_that_was_revoked_leaves_no_trace_in_the_file(tmp_path: Path) -> None:
    write_settings(tmp_path, "[plugins.stockx_ops]")
    env = clean_environment(tmp_path) | {"TOKEN": "canary-token-of-anna"}
    words = ("stockx-ops", "account", "connect", "anna", "--refresh-token-env", "TOKEN")
    assert spawn_pollctl(tmp_path, env, *words).returncode == 0
    assert b"canary-token" in (tmp_path / "pollctl.db").read_bytes()
    assert spawn_pollctl(tmp_path, env, "stockx-ops", "account", "revoke", "anna").returncode == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file() and b"canary-token" in path.read_bytes()] == []
