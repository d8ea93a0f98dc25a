"""The programs, each with its settings in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

OURS, PEERS = "pollctl-watch", ("urlwatch", "webchanges")


def prepared(name: str, folder: Path, urls: Sequence[str], hook: str, bin_folder: Path) -> list[str]:
    """Write the settings of a program that watches some pages and tells a web hook; answers its command."""
    (folder / "jobs.yaml").write_text("---\n".join(f"url: {url}\n" for url in urls))
    if name == OURS:
        return _prepared_ours(folder, hook)
    channel = "slack" if name == "urlwatch" else "webhook"
    report = f"report:\n  {channel}:\n    enabled: true\n    webhook_url: {hook}\n  stdout:\n    enabled: false\n"
    (folder / "config.yaml").write_text(f"display:\n  error: true\n  new: false\n  unchanged: false\n{report}")
    jobs, database = ("--urls", "--cache") if name == "urlwatch" else ("--jobs", "--database")
    return [str(bin_folder / name), jobs, "jobs.yaml", "--config", "config.yaml", database, "cache.db"]


def _prepared_ours(folder: Path, hook: str) -> list[str]:
    path = folder / "pollctl.toml"
    people = f'[plugins.watch]\nnotify = ["{hook.replace("http://", "json://")}"]\n'
    path.write_text(f'[pollctl]\ndatabase = "pollctl.db"\ndeadline = "10m"\n{people}')
    path.chmod(0o600)
    pollctl = [sys.executable, "-m", "pollctl", "--config", str(path)]
    subprocess.run([*pollctl, "watch", "import", "jobs.yaml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return [*pollctl, "run", "watch"]


def environment(folder: Path, look: int) -> dict[str, str]:
    """What a program finds around it at a look, an hour after the one before."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "POLLCTL_NOW": f"2026-03-{2 + look // 24:02}T{look % 24:02}:00:00Z",
    }
