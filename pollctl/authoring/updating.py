"""Later changes of the template, joined to what the author has changed since."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec.structs import replace

from pollctl.authoring.rendering import ANSWERS, TEMPLATES, newest, read_origin, render
from pollctl.errors import PollctlError

What = Literal["new", "changed", "conflict", "unwanted"]


class FileChange(NamedTuple):
    """What an update did to a file; *conflict* has git's marks where both had changed, *unwanted* was removed by its author."""

    path: str
    what: What


def update(folder: Path, templates: Path = TEMPLATES) -> list[FileChange]:
    """Bring a package up to the newest template.

    Three texts of each file are joined, as git does it: the one it was made from, the author's, and the newest. What only one side
    has changed is taken from that side.

    Raises:
        UsageError: it was not made by ``new-plugin``.
        PollctlError: copier or git is missing.
    """
    before = read_origin(folder)
    after = replace(before, template=newest(templates))
    if after == before:
        return []
    with tempfile.TemporaryDirectory(prefix="pollctl-new-plugin-") as place:
        old, new = Path(place, "old"), Path(place, "new")
        render(before, old, templates)
        render(after, new, templates)
        return list(_joined(folder, old, new))


def _joined(folder: Path, old: Path, new: Path) -> Iterator[FileChange]:
    for theirs in sorted(path for path in new.rglob("*") if path.is_file()):
        name = theirs.relative_to(new)
        base, mine = old / name, folder / name
        if base.exists() and base.read_bytes() == theirs.read_bytes():
            continue
        what = _join(base, mine, theirs)
        if what and str(name) != ANSWERS:
            yield FileChange(str(name), what)


def _join(base: Path, mine: Path, theirs: Path) -> What | None:
    if not mine.exists():
        if base.exists():
            return "unwanted"
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.write_bytes(theirs.read_bytes())
        return "new"
    before = mine.read_bytes()
    if not base.exists():
        base.parent.mkdir(parents=True, exist_ok=True)
        base.write_bytes(b"")
    conflicts = _merged(mine, base, theirs)
    if mine.read_bytes() == before:
        return None
    return "conflict" if conflicts else "changed"


def _merged(mine: Path, base: Path, theirs: Path) -> bool:
    labels = ("yours", "the old template", "the new template")
    words = [
        "git",
        "merge-file",
        *(word for label in labels for word in ("-L", label)),
        str(mine),
        str(base),
        str(theirs),
    ]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise PollctlError("`new-plugin --update` needs git") from error
    if done.returncode < 0 or done.returncode > 127:  # noqa: PLR2004 - what git has for errors; below is the number of conflicts
        raise PollctlError(f"git merge-file: {done.stderr.strip()}")
    return done.returncode > 0
