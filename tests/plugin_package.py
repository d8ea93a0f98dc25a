"""Third-party plugins made on the fly, and pollctl run on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import in_process

Env = dict[str, str]
Done = subprocess.CompletedProcess[str]

PLAIN = """
from collections.abc import Sequence
from datetime import datetime
import msgspec
from pollctl import Poller, hookimpl

class Settings(msgspec.Struct, frozen=True):
    word: str = "hello"

class Batch(msgspec.Struct, frozen=True):
    number: int

class Seen(msgspec.Struct, frozen=True, tag=True):
    number: int
    reason: str

@hookimpl
def pollctl_poller():
    return Poller(contract=1, summary="Counts to two.", settings=Settings, batch=Batch, decision=Seen)

@hookimpl
def pollctl_fetch(run):
    yield Batch(1)
    yield Batch(2)

@hookimpl
def pollctl_decide(batch, settings):
    return [Seen(batch.number, f"{settings.word} {batch.number}")]

@hookimpl
def pollctl_apply(db, decisions, run):
    run.count(seen=len(decisions))
"""
"""The source of a plugin that does little; replace parts of it to make it misbehave."""


def make_plugin_package(
    tmp_path: Path,
    name: str,
    source: str = PLAIN,
    *,
    group: str = "pollctl",
    env: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Install a distribution ``NAME-package`` with one plugin; answers the environment in which processes find it.

    Args:
        tmp_path: a folder that may be written to.
        name: of the entry point; its module is called the same.
        source: of that module.
        group: of the entry point.
        env: an answer of an earlier call, to install side by side.
    """
    folder = tmp_path / f"site-{name}"
    info = folder / f"{name}_package-1.2.3.dist-info"
    info.mkdir(parents=True)
    module = name.replace("-", "_")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-package\nVersion: 1.2.3\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}\n")
    (folder / f"{module}.py").write_text(source)
    env = dict(env or clean_environment(tmp_path))
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), env.get("PYTHONPATH", "")]))
    return env


def clean_environment(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own and nothing of ours in it but where programs and libraries are."""
    where = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, "HOME": str(tmp_path), "LANG": "C.UTF-8", **where}


def write_settings(tmp_path: Path, *sections: str) -> Path:
    """A settings file with a database beside it and *sections* of TOML; answers its path."""
    path = tmp_path / "pollctl.toml"
    path.write_text("\n".join(['[pollctl]\ndatabase = "pollctl.db"', *sections]) + "\n")
    return path


def command(*arguments: str) -> list[str]:
    """How this interpreter is told to run pollctl with *arguments*."""
    return [sys.executable, "-m", "pollctl", *arguments]


def run_pollctl(tmp_path: Path, env: Mapping[str, str], *arguments: str) -> Done:
    """Run pollctl in *tmp_path* to its end, within this process: `spawn_pollctl` is for tests whose subject is the process."""
    return in_process.run(tmp_path, env, arguments)


def spawn_pollctl(tmp_path: Path, env: Mapping[str, str], *arguments: str, timeout: float = 60, **more: Any) -> Done:
    """Run pollctl in *tmp_path* as a process; stdout and stderr are captured unless *more* says otherwise."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.run(
        command(*arguments), cwd=tmp_path, env=dict(env), text=True, timeout=timeout, check=False, **streams
    )


def json_of(done: subprocess.CompletedProcess[str]) -> Any:
    """The one JSON document on stdout, which must be all there is."""
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


ODD = """
import os, signal, sys, time
import msgspec
from pollctl import DeliveryError, Poller, hookimpl

class Settings(msgspec.Struct, frozen=True):
    how: str = "well"
    rule: int = 1

class Batch(msgspec.Struct, frozen=True):
    number: int

class Seen(msgspec.Struct, frozen=True, tag=True):
    number: int
    reason: str

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1,
        summary="Behaves as its settings say.", settings=Settings, batch=Batch, decision=Seen,
        effects={"word": "hold"}, defaults={"record": "all"},
    )

@hookimpl
def pollctl_fetch(run):
    how = run.settings.how
    if how == "prints":
        print("stray words")
        os.system("echo words of a child")
    if how == "hangs":
        while True:
            time.sleep(0.05)
    if how == "waits":
        open("waiting", "w").close()
        while not run.is_stopping:
            time.sleep(0.02)
    if how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "is down":
        run.failed("everything", "\\x1b[31mno answer")
        return
    yield Batch(1)
    if how == "half":
        run.reached("one half")
        run.failed("the other half", "no answer")
    if how == "raises":
        raise RuntimeError("boom")

@hookimpl
def pollctl_decide(batch, settings):
    if settings.how == "decide raises" and settings.rule == 1 and not os.environ.get("MENDED"):
        raise ValueError("cannot decide")
    rule = os.environ.get("RULE", "one")
    return [Seen(batch.number, f"by rule {rule}")]

@hookimpl
def pollctl_apply(db, decisions, run):
    run.count(seen=len(decisions))
    if run.settings.how in ("tells", "tells in vain"):
        run.effect("word", f"word of {run.id}", {"says": "hello"}, lane="people")

@hookimpl
def pollctl_deliver(effect, run):
    if run.settings.how == "tells in vain":
        raise DeliveryError("nobody \\x1b[1mhome", permanent=True)
    return {"said": effect.payload["says"]}
"""
"""The source of a plugin that behaves as its setting ``how`` says."""
