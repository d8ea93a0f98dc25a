"""The full campaign part by part: each part runs alone, and its figures are kept beside the commit that they are of.

``python tests/harness/parts.py NAME...`` runs parts, ``all`` runs every one, ``list`` names them and says which figures still hold.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import campaign

ROOT = Path(__file__).parents[2]
CRASH = ROOT / "tests" / "crash"
FIGURES = ROOT / "docs" / "campaign" / "figures.jsonl"
EVERYTHING = ("pollctl", "plugins")
CODE: Mapping[str, Sequence[str]] = {
    "clock_shifts": ("pollctl/clock.py", "pollctl/due", "pollctl/passes", "pollctl/schedule"),
    "hostile_answers": ("pollctl/concurrency", "pollctl/http"),
    "latency_kills": ("pollctl", "plugins/pollctl_latency"),
    "misbehaving_plugins": ("pollctl",),
    "overlap": ("pollctl",),
    "shell_query_kills": ("pollctl", "plugins/pollctl_shell_query"),
    "simulation": ("pollctl",),
    "soc_sections": ("pollctl", "plugins/pollctl_soc_sections"),
    "stamp": ("pollctl/due",),
    "stockx_ops_kills": ("pollctl", "plugins/pollctl_stockx_ops"),
    "toilet_gap_kills": ("pollctl", "plugins/pollctl_toilet_gap"),
}
"""What a part tries, where that is not everything; the part itself and the harness count always."""
_FIGURE = re.compile(r"figure: (.+)")


def names() -> list[str]:
    """The parts there are: ``every_syscall`` is ``tests/crash/test_every_syscall.py``."""
    return sorted(path.stem.removeprefix("test_") for path in CRASH.glob("test_*.py"))


def run(part: str) -> int:
    """Run one part in full size and keep its figures, if it passes; answers the exit code."""
    began, moment = time.monotonic(), datetime.now(UTC)
    print(f"{part}: seed {campaign.SEED}", flush=True)
    environ = {**os.environ, "POLLCTL_CAMPAIGN": "full", "POLLCTL_SEED": str(campaign.SEED)}
    command = [sys.executable, "-m", "pytest", "--quiet", "--capture=no", str(CRASH / f"test_{part}.py")]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        figures = [match[1] for line in _shown(process.stdout) if (match := _FIGURE.search(line))]
    if process.returncode == 0:
        keep(
            {
                "part": part,
                "commit": _git("rev-parse", "HEAD"),
                "is_dirty": bool(_git("status", "--porcelain", "--", *_paths(part))),
                "at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
                "seconds": round(time.monotonic() - began),
                "seed": campaign.SEED,
                "python": platform.python_version(),
                "sqlite": sqlite3.sqlite_version,
                "figures": figures,
            }
        )
    return process.returncode


def keep(record: Mapping[str, Any]) -> None:
    """Put the record of a part in the place of the earlier one with the same SQLite."""
    others = [one for one in kept() if (one["part"], one["sqlite"]) != (record["part"], record["sqlite"])]
    records = sorted([*others, record], key=lambda one: (one["part"], one["sqlite"]))
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in records), encoding="utf-8")


def kept() -> list[dict[str, Any]]:
    """The records that there are."""
    if not FIGURES.exists():
        return []
    return [json.loads(line) for line in FIGURES.read_text(encoding="utf-8").splitlines()]


def state_of(part: str) -> Iterator[str]:
    """What is known of a part, a line for each of its records."""
    records = [one for one in kept() if one["part"] == part]
    for one in records:
        verdict = _verdict(one)
        yield f"{one['at'][:10]} at {one['commit'][:10]}, SQLite {one['sqlite']}, {one['seconds']} s: {verdict}"
    if not records:
        yield "no figures yet"


def _verdict(record: Mapping[str, Any]) -> str:
    if not (ROOT / ".git").exists():
        return "whether it holds is told where its commits are"
    return "its code has changed since" if changed_since(record) else "holds"


def changed_since(record: Mapping[str, Any]) -> bool:
    """Whether what a part tries, or the part itself, differs now from what it was run on."""
    command = ["git", "diff", "--quiet", record["commit"], "--", *_paths(record["part"])]
    return bool(record["is_dirty"]) or subprocess.run(command, cwd=ROOT, check=False).returncode != 0


def _paths(part: str) -> list[str]:
    return [*CODE.get(part, EVERYTHING), "tests/harness", f"tests/crash/test_{part}.py"]


def _shown(lines: Iterator[str] | Any) -> Iterator[str]:
    for line in lines:
        print(line, end="", flush=True)
        yield line


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def main(words: Sequence[str]) -> int:
    """Run the parts that are named, or list all."""
    if words == ["all"]:
        words = names()
    if not words or set(words) - set(names()):
        for part in names():
            print(part, *state_of(part), sep="\n    ")
        return 0 if words in ([], ["list"], ["help"]) else 2
    return max(map(run, words))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
