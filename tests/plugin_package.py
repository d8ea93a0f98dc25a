"""Third-party plugins made on the fly, and pollctl run on them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sample_plugin import PLAIN

from pollctl.testing import in_process

Env = dict[str, str]
Done = subprocess.CompletedProcess[str]


on_every_path: Sequence[str] = ()
"""Folders of modules that Python finds in each environment that is made here."""


def make_plugin_package(
    tmp_path: Path,
    name: str,
    source: str = PLAIN,
    *,
    group: str = "pollctl",
    env: Mapping[str, str] | None = None,
    attribute: str = "",
) -> dict[str, str]:
    """Install a distribution ``NAME-package`` with one plugin; answers the environment in which processes find it.

    Args:
        tmp_path: a folder that may be written to.
        name: of the entry point; its module is called the same.
        source: of that module.
        group: of the entry point.
        env: an answer of an earlier call, to install side by side.
        attribute: of the module, where the plugin is not the module itself.
    """
    folder = tmp_path / f"site-{name}"
    info = folder / f"{name}_package-1.2.3.dist-info"
    info.mkdir(parents=True)
    module = name.replace("-", "_")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-package\nVersion: 1.2.3\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {':'.join(filter(None, [module, attribute]))}\n")
    (folder / f"{module}.py").write_text(source)
    env = dict(env or clean_environment(tmp_path))
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), env.get("PYTHONPATH", "")]))
    return env


def clean_environment(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own and nothing of ours in it but where programs and libraries are."""
    where = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    path = {"PYTHONPATH": os.pathsep.join(on_every_path)} if on_every_path else {}
    return {"PATH": os.defpath, "HOME": str(tmp_path), "LANG": "C.UTF-8", **where, **path}


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


def install(package: Path, site: Path) -> None:
    """Install a package that pip can build into a folder, and leave nothing behind in its own."""
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(package)], check=True, timeout=120)
    shutil.rmtree(package / "build", ignore_errors=True)


def run_in_package(package: Path, site: Path, *words: str) -> Done:
    """Run ``python -m WORDS`` in the folder of a package that is installed in *site*."""
    env = {
        **clean_environment(package.parent),
        "PYTHONPATH": str(site),
        "MYPYPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=package, env=env, capture_output=True, text=True, check=False, timeout=280
    )
