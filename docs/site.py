"""The manual as a site that needs neither a server nor a network. ``make site`` writes it to dist/site.

Pages keep their places in the tree, so that a link that is right here, or on GitHub, is right there. A link that leads
nowhere, or any other warning, ends the build.
"""
# ruff: noqa: INP001 - a script beside the manual, no package

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomlkit

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "docs" / "zensical.toml"
PAGES = (
    "*.md",
    "docs/**/*.md",
    "plugins/*/README.md",
    "extras/*/README.md",
    "extras/*/pollctl_*/README.md",
    "extras/*/CHANGELOG.md",
)
LINKED = ("docs/**/*.png", "docs/deploy/**/*", "plugins/*/sample.toml", "docs/iframe-worker.js")
"""What pages link to and is no page."""


def matching(*patterns: str) -> list[str]:
    """The files of the tree that match, by their paths within it."""
    found = (path for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.is_file())
    return [str(path.relative_to(ROOT)) for path in found]


def navigation(entries: list[Any]) -> Iterator[Any]:
    """The entries, with the pages that match in place of a pattern."""
    for entry in entries:
        if isinstance(entry, str):
            yield from matching(entry) or [entry]
        else:
            yield {title: inner if isinstance(inner, str) else [*navigation(inner)] for title, inner in entry.items()}


def settings() -> dict[str, Any]:
    """What Zensical is told."""
    told = tomlkit.parse(SETTINGS.read_text(encoding="utf-8")).unwrap()
    told["project"]["nav"] = [*navigation(told["project"]["nav"])]
    return told


def build(target: Path) -> None:
    """Write the site to *target*, which it replaces; a warning is printed and ends this."""
    with TemporaryDirectory() as folder:
        for name in matching(*PAGES, *LINKED):
            place = Path(folder, "pages", name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place)
        written = Path(folder, SETTINGS.name)
        written.write_text(tomlkit.dumps(settings()), encoding="utf-8")
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(written)]
        if subprocess.run(command, check=False).returncode:
            sys.exit("docs/site.py: not built")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(Path(folder, "site"), target)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "site")
