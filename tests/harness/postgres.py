"""A real PostgreSQL for tests: private, in a temporary folder, on a socket of its own, ended by its number."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest

ROLES = """
CREATE ROLE anon NOLOGIN; CREATE ROLE authenticated NOLOGIN; CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT '00000000-0000-0000-0000-000000000001'::uuid $$;
GRANT USAGE ON SCHEMA auth, public TO anon, authenticated, service_role;
"""
"""What Supabase has before anything of ours."""


def binaries() -> Path | None:
    """Where PostgreSQL's programs lie, if anywhere."""
    found = [Path(path).resolve().parent for name in ("initdb", "postgres") if (path := shutil.which(name))]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


@contextmanager
def postgres() -> Iterator[str]:
    """A server while the block lasts; what psycopg connects to. Skips the test, with the reason, where it cannot be had."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="pollctl-pg-"))
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        command = [
            str(programs / "initdb"),
            "-D",
            str(data),
            "-A",
            "trust",
            "-U",
            "postgres",
            "-N",
            "--no-locale",
            "-E",
            "UTF8",
        ]
        made = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"no PostgreSQL can be started here: {made.stderr.strip()[-200:]}")
        options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", f"unix_socket_directories={folder}"]
        log = (folder / "log").open("w")
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options], user=user, cwd=folder, stdout=log, stderr=log
        )
        try:
            yield _ready(f"host={folder} user=postgres", server)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
            log.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ready(address: str, server: subprocess.Popen[bytes]) -> str:
    import psycopg

    deadline = time.monotonic() + 30
    while True:
        try:
            with psycopg.connect(f"{address} dbname=postgres"):
                return address
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def execute(address: str, sql: str) -> None:
    """Execute statements as the owner of everything."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as db:
        db.execute(sql.encode())


def new_project(server: str) -> str:
    """A database as a Supabase project has it, with our SQL, run twice as it may be; its address."""
    address = f"{server} dbname=postgres"
    execute(address, ROLES)
    for _ in range(2):
        execute(address, files("pollctl_latency").joinpath("supabase.sql").read_text(encoding="utf-8"))
    return address
