"""What installed distributions announce, read from their files once a process.

``importlib.metadata`` finds the same, but to import it and let it read everything takes as long as a small pass. It is asked
only where distributions lie elsewhere than in folders: in zip files, or with finders of others.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, reduce
from importlib import import_module
from typing import Any, NamedTuple

GROUPS = "pollctl"
"""What the names of all groups begin with that can be asked for."""
_INFOS = (".dist-info", ".egg-info")
_VALUE = re.compile(r"([\w.]+)\s*(?::\s*([\w.]+)\s*)?(?:\[.*\]\s*)?")
"""``module``, ``module:attribute.of.it``, ``module [extra]``: https://packaging.python.org/specifications/entry-points/."""
loaded: set[str] = set()
"""What was imported of others in this process, as entry points name it."""
_SEPARATORS = re.compile(r"[-_.]+")


class EntryPoint(NamedTuple):
    """An object that a distribution announces.

    Attributes:
        value: where it is, ``module:attribute``.
        distribution: the name of what announces it.
        version: its version.
    """

    name: str
    value: str
    group: str
    distribution: str = "unknown"
    version: str = ""

    @property
    def module(self) -> str:
        """The module that it is in."""
        return self._parts[0]

    @property
    def file(self) -> str:
        """The file that is all of it; empty for what a distribution announces."""
        return ""

    @property
    def origin(self) -> str:
        """What brings it, as messages say it: distribution and version."""
        return f"{self.distribution} {self.version}".rstrip()

    def load(self) -> Any:
        """Import it; raises what that raises, and ValueError where the value names nothing."""
        module, attribute = self._parts
        loaded.add(self.value)
        return reduce(getattr, filter(None, attribute.split(".")), import_module(module))

    @property
    def _parts(self) -> tuple[str, str]:
        match = _VALUE.fullmatch(self.value)
        if match is None:
            raise ValueError(f"{self.value!r} names no module")
        return match[1], match[2] or ""


def entry_points(group: str) -> Sequence[EntryPoint]:
    """What is announced under a group of pollctl, in the order in which distributions are found along ``sys.path``."""
    return _announced(group, tuple(sys.path))


@cache
def _announced(group: str, search_path: tuple[str, ...]) -> Sequence[EntryPoint]:
    if _is_uncommon(search_path):
        return list(_by_importlib(group))
    return [one for one in _by_files(search_path) if one.group == group]


def _is_uncommon(search_path: Sequence[str]) -> bool:
    """Whether distributions may lie where only their finders know."""
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    is_ours = all(getattr(finder, "__name__", "") == "PathFinder" for finder in finders)
    return not is_ours or any(map(os.path.isfile, search_path))


def _by_importlib(group: str) -> Iterator[EntryPoint]:
    """As ``importlib.metadata.entry_points``, but that a distribution whose files its finder cannot read announces nothing."""
    from importlib import metadata

    seen = set()
    for dist in metadata.distributions():
        try:
            known_as = getattr(dist, "_normalized_name", dist.name)  # as there, of two with one name the first counts
            name, version, announced = dist.name, dist.version, dist.entry_points
        except Exception:  # noqa: BLE001, S112 - files of a stranger, read by whatever finder there is
            continue
        if known_as not in seen:
            yield from (
                EntryPoint(one.name, one.value, group, name, version) for one in announced if one.group == group
            )
        seen.add(known_as)


@cache
def _by_files(search_path: tuple[str, ...]) -> Sequence[EntryPoint]:
    """Of distributions of one name the first on the path counts, whether or not it announces anything."""
    found: list[EntryPoint] = []
    seen = set()
    for info in (info for folder in search_path for info in _infos(folder)):
        name = _name_of(info)
        if name not in seen:
            seen.add(name)
            found += _of_distribution(info)
    return found


def _infos(folder: str) -> Iterator[str]:
    """What describes the distributions in a folder, in the order of importlib.metadata: what is of one name together."""
    try:
        children = os.listdir(folder or ".")  # noqa: PTH208 - pathlib takes longer than all the rest
    except OSError:
        return
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for child in children:
        low = child.lower()
        if low.endswith(_INFOS):
            groups[_normal(low.rpartition(".")[0].partition("-")[0])].append(child)
        elif low == "egg-info" and folder.lower().endswith(".egg"):
            groups[low].append(child)
    for child in (child for group in groups.values() for child in group):
        yield os.path.join(folder, child)  # noqa: PTH118


def _name_of(info: str) -> str:
    stem, ending = os.path.splitext(os.path.basename(info))  # noqa: PTH119, PTH122
    if ending in _INFOS:
        return _normal(stem.partition("-")[0])
    return _normal(_headers(info)["Name"])


def _normal(name: str) -> str:
    """As PEP 503 has it, with underscores."""
    return _SEPARATORS.sub("_", name).lower()


def _of_distribution(info: str) -> Iterator[EntryPoint]:
    text = _text(info, "entry_points.txt")
    if GROUPS not in text:
        return
    group, headers = "", _headers(info)
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1]
            continue
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            yield EntryPoint(name.strip(), value.strip(), group, headers["Name"], headers["Version"])


def _headers(info: str) -> Mapping[str, str]:
    """Name and version of a distribution."""
    found = {"Name": "unknown", "Version": ""}
    for line in (_text(info, "METADATA") or _text(info, "PKG-INFO") or _text(info, "")).splitlines():
        key, colon, value = line.partition(":")
        if not line:
            break
        if colon and key in found:
            found[key] = value.strip()
    return found


def _text(info: str, name: str) -> str:
    """The content of a file beside others; empty where there is none."""
    try:
        with open(os.path.join(info, name) if name else info, encoding="utf-8", errors="replace") as file:  # noqa: PTH118, PTH123
            return file.read()
    except OSError:
        return ""
