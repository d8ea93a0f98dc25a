"""Later changes of the template, joined to what the author has changed since."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec.structs import replace

from pollctl.authoring.rendering import ANSWERS, TEMPLATES, newest, read_origin, render, write_origin
from pollctl.errors import PollctlError

What = Literal["new", "changed", "conflict", "unwanted"]


class FileChange(NamedTuple):
    """What an update did to a file; *conflict* has git's marks where both had changed, *unwanted* was removed by its author."""

    path: str
    what: What


class _Joined(NamedTuple):
    change: FileChange
    content: bytes


def update(folder: Path, templates: Path = TEMPLATES) -> list[FileChange]:
    """Bring a package up to the newest template.

    Three texts of each file are joined, as git does it: the one it was made from, the author's, and the newest. What only one side
    has changed is taken from that side. All are joined before one is written, and what the package says of its origin is written
    last: an update that was broken off can be made again.

    Raises:
        UsageError: it was not made by ``new-plugin``.
        PollctlError: copier or git is missing; nothing was written.
    """
    before = read_origin(folder)
    after = replace(before, template=newest(templates))
    if after == before:
        return []
    with tempfile.TemporaryDirectory(prefix="pollctl-new-plugin-") as place:
        old, new = Path(place, "old"), Path(place, "new")
        render(before, old, templates)
        render(after, new, templates)
        joined = list(_joined(folder, old, new))
    for one in joined:
        _write(folder, one)
    write_origin(folder, after)
    return [one.change for one in joined]


def _write(folder: Path, joined: _Joined) -> None:
    if joined.change.what == "unwanted":
        return
    path = (folder / joined.change.path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.new")  # a disk that is full must not cost what stands there
    whole.write_bytes(joined.content)
    if path.exists():
        shutil.copymode(path, whole)
    whole.replace(path)


def _joined(folder: Path, old: Path, new: Path) -> Iterator[_Joined]:
    for theirs in sorted(path for path in new.rglob("*") if path.is_file() and path.name != ANSWERS):
        name = theirs.relative_to(new)
        what, content = _join(old / name, folder / name, theirs)
        if what:
            yield _Joined(FileChange(str(name), what), content)


def _join(base: Path, mine: Path, theirs: Path) -> tuple[What | None, bytes]:
    content = theirs.read_bytes()
    if base.exists() and base.read_bytes() == content:
        return None, content
    if not mine.exists():
        return "unwanted" if base.exists() else "new", content
    merged, has_conflicts = _merged(mine, base if base.exists() else Path(os.devnull), theirs)
    if merged == mine.read_bytes():
        return None, merged
    return "conflict" if has_conflicts else "changed", merged


def _merged(mine: Path, base: Path, theirs: Path) -> tuple[bytes, bool]:
    """The three texts in one, and whether it has git's marks."""
    labels = [word for label in ("yours", "the old template", "the new template") for word in ("-L", label)]
    words = ["git", "merge-file", "-p", *labels, str(mine), str(base), str(theirs)]
    try:
        done = subprocess.run(words, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise PollctlError("`new-plugin --update` needs git") from error
    if done.returncode < 0 or done.returncode > 127:  # noqa: PLR2004 - what git has for errors; below is the number of conflicts
        raise PollctlError(f"git merge-file: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout, done.returncode > 0
