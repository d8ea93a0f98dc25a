"""A plugin that can be taught other hooks, and the database in which it lives from pass to pass."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from place import Place
from plugin_package import json_of, make_plugin_package
from sample_plugin import parrot_source

FAILING = "(effect):\n    raise DeliveryError('the line is dead')\n"
"""A deliver that never succeeds."""


class Parrot(Place):
    """The plugin of `parrot_source` in a place of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._lessons = 0
        self.teach(parrot_source())

    def teach(self, source: str, section: str = "", core: str = "") -> None:
        """Put another source in the plugin's place, and settings to it."""
        self._lessons += 1
        lesson = self.folder / f"lesson-{self._lessons}"
        lesson.mkdir()
        self.env = make_plugin_package(lesson, "parrot", source) | {"HOME": str(self.folder)}
        self.configure(section, core)

    def configure(self, section: str = "", core: str = "") -> None:
        """Write its section of the settings, and others before it."""
        self.settings(core, "[plugins.parrot]", section)

    def report(self, *options: str, now: str = "", code: int | None = 0) -> dict[str, Any]:
        """Make one pass in this process; answers its report."""
        done = self.call("run", "parrot", "--json", *options, now=now)
        assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
        found: dict[str, Any] = json_of(done)
        return found

    def start_pass(self, *options: str) -> subprocess.Popen[str]:
        """Start one pass as a process."""
        return self.popen("run", "parrot", "--json", *options)

    def rows(self, query: str) -> list[Any]:
        """The rows that answer a query; those of one column as their values."""
        return [row[0] if len(row) == 1 else row for row in self.sql(query)]

    @property
    def said(self) -> list[str]:
        """What was said, in order."""
        path = self.folder / "said.txt"
        return path.read_text().split() if path.exists() else []
