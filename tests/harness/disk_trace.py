"""What a process does to one folder and to the network, recorded by strace with every byte."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from disk import Deed, Rename, Send, Sync, Truncate, Unlock, Write

_CALLS = (
    "openat,creat,open,write,pwrite64,ftruncate,unlink,unlinkat,rename,renameat,renameat2,fsync,fdatasync,close,sendto,"
    "sendmsg,fcntl,writev,pwritev,pwritev2,truncate,link,linkat,fallocate,copy_file_range,sendfile"
)
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)")
_UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"^\d+<((?:\\x[0-9a-f]{2})*)[>(]")
_NUMBER = re.compile(r", (\d+)$")


def _may_trace() -> bool:
    """Whether strace is there and the machine lets it look at a process (some containers do not)."""
    strace = shutil.which("strace")
    return (
        bool(strace)
        and not subprocess.run([str(strace), "-o", "/dev/null", "true"], capture_output=True, check=False).returncode
    )


needs_strace = pytest.mark.skipif(
    not _may_trace(), reason="strace is not installed (Debian: apt install strace) or not allowed"
)


class Event(NamedTuple):
    """A deed and the thread that did it."""

    thread: int
    deed: Deed


def record(
    folder: Path, env: Mapping[str, str], command: Sequence[str], *prefixes: str, codes: Sequence[int] = (0,)
) -> list[Event]:
    """Run *command* in *folder* and tell what it did to the files there whose names begin with one of *prefixes*.

    It must end with one of *codes*.
    """
    trace = folder / "trace.txt"
    strace = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-y",
        "-xx",
        "-s",
        "10000000",
        "-o",
        str(trace),
        "-e",
        f"trace={_CALLS}",
        "--",
    ]
    done = subprocess.run(
        [*strace, *command], cwd=folder, env=dict(env), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in codes, done.stderr
    reader = _Reader(folder, prefixes)
    events = [event for line in _whole_lines(trace) for event in reader.read(line)]
    trace.unlink()
    return events


def _whole_lines(trace: Path) -> Iterator[str]:
    """The lines of strace, those of a call that another thread interrupted put together: sends count from their start."""
    begun: dict[str, str] = {}
    with trace.open() as lines:
        for line in lines:
            if cut := _UNFINISHED.match(line.rstrip("\n")):
                thread, call, arguments = cut.groups()
                begun[thread] = f"{thread} {call}({arguments}"
                if call.startswith("send"):
                    yield f"{begun[thread]}) = 0"
            elif rest := _RESUMED.match(line):
                start = begun.pop(rest[1])
                if " send" not in start[:20]:
                    yield start + rest[2]
            else:
                yield line


class _Reader:
    def __init__(self, folder: Path, prefixes: tuple[str, ...]) -> None:
        self._folder = str(folder.resolve())
        self._prefixes = prefixes
        self._lengths: dict[str, int] = {}  # of files that were created
        self._names = {path.name for path in folder.iterdir()}

    def read(self, line: str) -> Iterator[Event]:
        parts = _LINE.match(line)
        if parts is None or parts[4] in ("-1", "?"):
            return
        thread, call, arguments = int(parts[1]), parts[2], parts[3]
        for deed in _READERS[call](self, arguments):
            yield Event(thread, deed)

    def opened(self, arguments: str) -> Iterator[Deed]:
        name = self._name(_texts(arguments)[0])
        if not self._is_ours(name) or "O_CREAT" not in arguments:
            return
        if name not in self._names:
            self._names.add(name)
            self._lengths[name] = 0
            yield Rename("", name)
        elif "O_TRUNC" in arguments:
            yield Truncate(name, 0)

    def written(self, arguments: str) -> Iterator[Deed]:
        name = self._name(_path(arguments))
        if self._is_ours(name):
            offset = _NUMBER.search(arguments)
            assert offset
            yield Write(name, int(offset[1]), _texts(arguments)[0])

    def appended(self, arguments: str) -> Iterator[Deed]:
        """A write where the one before ended: known only of a file from its beginning on."""
        name = self._name(_path(arguments))
        if name not in self._lengths:
            yield from self.alien(arguments)
            return
        data = _texts(arguments)[0]
        yield Write(name, self._lengths[name], data)
        self._lengths[name] += len(data)

    def truncated(self, arguments: str) -> Iterator[Deed]:
        name = self._name(_path(arguments))
        size = _NUMBER.search(arguments)
        if self._is_ours(name) and size:
            yield Truncate(name, int(size[1]))

    def renamed(self, arguments: str) -> Iterator[Deed]:
        old, new = (self._name(text) for text in _texts(arguments))
        if self._is_ours(old) or self._is_ours(new):
            self._names = {*self._names - {old}, new}
            yield Rename(old, new)

    def unlinked(self, arguments: str) -> Iterator[Deed]:
        name = self._name(_texts(arguments)[0])
        if self._is_ours(name):
            self._names.discard(name)
            yield Rename(name, "")

    def synced(self, arguments: str) -> Iterator[Deed]:
        path = os.fsdecode(_path(arguments))
        if path == self._folder:
            yield Sync("")
        elif self._is_ours(self._name(os.fsencode(path))):
            yield Sync(self._name(os.fsencode(path)))

    def let_go(self, arguments: str) -> Iterator[Deed]:
        name = self._name(_path(arguments)).removesuffix("-shm")  # where WAL has its locks
        if self._is_ours(name) and ("F_" not in arguments or "F_UNLCK" in arguments):
            yield Unlock(name)

    def sent(self, arguments: str) -> Iterator[Deed]:
        yield Send(b"".join(_texts(arguments)))

    def alien(self, arguments: str) -> Iterator[Deed]:
        """A way to write that the model does not know must not go unnoticed."""
        texts = [_path(arguments), *_texts(arguments)]
        assert not any(self._is_ours(self._name(text)) for text in texts), (
            f"the model does not know this call: {arguments[:200]}"
        )
        return iter(())

    def _name(self, path: bytes) -> str:
        folder, _, name = os.fsdecode(path).rpartition("/")
        return name if folder in ("", self._folder) else ""

    def _is_ours(self, name: str) -> bool:
        return name.startswith(self._prefixes) and not name.endswith((".lock", "-shm"))


def _texts(arguments: str) -> list[bytes]:
    return [_bytes(text) for text in _TEXT.findall(arguments)]


def _path(arguments: str) -> bytes:
    found = _DESCRIPTOR.match(arguments)
    return _bytes(found[1]) if found else b""


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


_READERS: Mapping[str, Callable[[_Reader, str], Iterator[Deed]]] = {
    **dict.fromkeys(_CALLS.split(","), _Reader.alien),
    "openat": _Reader.opened,
    "pwrite64": _Reader.written,
    "write": _Reader.appended,
    "ftruncate": _Reader.truncated,
    "rename": _Reader.renamed,
    "renameat": _Reader.renamed,
    "renameat2": _Reader.renamed,
    "unlink": _Reader.unlinked,
    "unlinkat": _Reader.unlinked,
    "fsync": _Reader.synced,
    "fdatasync": _Reader.synced,
    "close": _Reader.let_go,
    "fcntl": _Reader.let_go,
    "sendto": _Reader.sent,
    "sendmsg": _Reader.sent,
}
