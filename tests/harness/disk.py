"""A small model of a disk: what may be on it after a power cut, given what was written and what was synced.

Until its file is synced, a write may be lost, kept, or torn at any border of 512 bytes, whatever became of those before and
after it; until its folder is synced, so may the appearance, renaming and disappearance of a file.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

SECTOR = 512


@dataclass(frozen=True)
class Write:
    """Bytes that went to a place of a file."""

    name: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncate:
    """A file that was cut or lengthened to a size."""

    name: str
    size: int


@dataclass(frozen=True)
class Rename:
    """A file that took the place of another; an empty *new* unlinks it, an empty *old* creates it."""

    old: str
    new: str


@dataclass(frozen=True)
class Sync:
    """A file whose content, or (with an empty name) the folder whose names, are on the disk for good."""

    name: str


@dataclass(frozen=True)
class Unlock:
    """The end of something: a lock given up or a file closed by the thread that *by* names."""

    name: str


@dataclass(frozen=True)
class Send:
    """Bytes that left for the network."""

    data: bytes


Deed = Write | Truncate | Rename | Sync | Unlock | Send
State = Mapping[str, bytes]
"""What a disk holds: names and contents."""


@dataclass(eq=False)
class _File:
    durable: bytes = b""
    pending: list[tuple[int, Write | Truncate]] = field(default_factory=list)


Binding = tuple[tuple[str, _File | None], ...]


class Disk:
    """One folder and its files, between what was done and what is durable.

    Args:
        before: what is on the disk for good.
    """

    def __init__(self, before: State) -> None:
        self._durable: dict[str, _File] = {name: _File(content) for name, content in before.items()}
        self._names = dict(self._durable)
        self._bindings: list[tuple[int, Binding]] = []
        self._count = 0

    def do(self, deed: Deed) -> None:
        """Let one deed happen; what it changes stays pending until it is synced."""
        self._count += 1
        match deed:
            case Write(name) | Truncate(name):
                self._file(name).pending.append((self._count, deed))
            case Rename(old, new):
                self._rename(old, new)
            case Sync(""):
                for _, binding in self._bindings:
                    self._durable.update({name: file for name, file in binding if file})
                    for name in [name for name, file in binding if not file]:
                        self._durable.pop(name, None)
                self._bindings.clear()
            case Sync(name) if name in self._names:
                file = self._names[name]
                file.durable = _content(file, (written for _, written in file.pending))
                file.pending.clear()

    def has(self, name: str) -> bool:
        """Whether programs see a file of this name."""
        return name in self._names

    def pending(self) -> list[int]:
        """The numbers of what a power cut may still undo, in the order in which it was done."""
        files = {id(file): file for file in (*self._durable.values(), *self._names.values())}
        writes = [number for file in files.values() for number, _ in file.pending]
        return sorted([*writes, *(number for number, _ in self._bindings)])

    def after(self, kept: Iterable[int], torn: random.Random | None = None) -> State:
        """What is on the disk after a power cut that left only *kept* of what was pending; *torn* tears writes among it."""
        alive = set(kept)
        names: dict[str, _File | None] = dict(self._durable)
        for number, binding in self._bindings:
            if number in alive:
                names.update(binding)
        return {name: _content(file, _survivors(file, alive, torn)) for name, file in names.items() if file}

    def _file(self, name: str) -> _File:
        if name not in self._names:
            self._rename("", name)
        return self._names[name]

    def _rename(self, old: str, new: str) -> None:
        file = self._names.pop(old) if old else _File()
        binding: list[tuple[str, _File | None]] = [(old, None)] if old else []
        if new:
            self._names[new] = file
            binding.append((new, file))
        self._bindings.append((self._count, tuple(binding)))


def _survivors(file: _File, alive: set[int], torn: random.Random | None) -> Iterator[Write | Truncate]:
    for number, deed in file.pending:
        if number not in alive:
            continue
        if torn and isinstance(deed, Write):
            yield from (sector for sector in _sectors(deed) if torn.random() < 0.5)
        else:
            yield deed


def _sectors(write: Write) -> Iterator[Write]:
    start = 0
    while start < len(write.data):
        end = min(len(write.data), (write.offset + start) // SECTOR * SECTOR + SECTOR - write.offset)
        yield Write(write.name, write.offset + start, write.data[start:end])
        start = end


def _content(file: _File, deeds: Iterable[Write | Truncate]) -> bytes:
    content = bytearray(file.durable)
    for deed in deeds:
        size = deed.size if isinstance(deed, Truncate) else deed.offset + len(deed.data)
        if size > len(content):
            content.extend(bytes(size - len(content)))
        if isinstance(deed, Truncate):
            del content[size:]
        else:
            content[deed.offset : size] = deed.data
    return bytes(content)


def cuts(disk: Disk, dice: random.Random, random_ones: int, *, every_single: bool) -> Iterator[State]:
    """States after a power cut right now: nothing kept, everything, random parts (most of them torn).

    With *every_single*: each write missing, and each alone, too. (Each prefix comes by itself: everything, one write earlier.)
    """
    pending = disk.pending()
    yield disk.after(())
    yield disk.after(pending)
    for place in range(len(pending) if every_single else 0):
        yield disk.after(pending[place : place + 1])
        yield disk.after([*pending[:place], *pending[place + 1 :]])
    for _ in range(random_ones if pending else 0):
        share = dice.random()
        kept = [number for number in pending if dice.random() < share]
        yield disk.after(kept, torn=dice if dice.random() < 0.7 else None)
