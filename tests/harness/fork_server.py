"""Passes that are forked from an interpreter which has loaded everything.

Each is a real process that runs the real command line and dies of real signals; only the loading of modules is spared, which takes
several times as long as the pass of a small story, and makes thousands of system calls that nobody else can notice.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import importlib.metadata
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

from worlds.every import every
from worlds.world import Story

import pollctl
from pollctl.__main__ import main
from pollctl.plugin_host import discovery, loader

LOADED_LATE = (
    "apprise", "croniter", "encodings.ascii", "encodings.utf_8_sig", "lxml.builder", "zeep.helpers", "zeep.wsdl.attachments",
    "zeep.wsdl.bindings",
)  # fmt: skip
"""What pollctl and its plugins import where they need it."""
LONGEST = 1 << 20  # bytes of a request


class Child:
    """A process that begins with `go`; it is not a child of this one, so that only the fork server may wait for it."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self._channel = channel
        self._code: int | None = None

    def go(self) -> None:
        """Let it begin."""
        self._channel.send(b"go")

    def poll(self) -> int | None:
        """Its exit code, as of subprocess, or None while it lives."""
        if self._code is None and select.select([self._channel], [], [], 0)[0]:
            self.wait()
        return self._code

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        if self._code is None:
            self._code = int(self._channel.recv(LONGEST))
        return self._code

    def kill(self) -> None:
        """Send SIGKILL; the number of a process that has ended is not given away before the next one is born."""
        os.kill(self.pid, signal.SIGKILL)


class ForkServer:
    """A process without threads that forks children, one after another."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = os.pathsep.join(path for path in sys.path if path)
        with theirs:
            words = [sys.executable, "-c", "import fork_server; fork_server.serve()"]
            self._process = subprocess.Popen(words, stdin=theirs.fileno(), env={**os.environ, "PYTHONPATH": path})

    def forked(self, words: Sequence[str], folder: Path, env: Mapping[str, str], stderr: int | None = None) -> Child:
        """A process that will run pollctl with *words* in *folder*; it waits for `Child.go`."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            request = json.dumps([words, str(folder), dict(env)]).encode()
            socket.send_fds(self._channel, [request], [nowhere if stderr is None else stderr])
        finally:
            os.close(nowhere)
        return Child(int(self._channel.recv(LONGEST)), self._channel)


def forked(told: Story, step: int, stderr: int | None = None) -> Child:
    """Pass number *step* of a story, which waits for `Child.go`."""
    return _server().forked(told.words, told.folder, told.environment(step), stderr)


@functools.cache
def _server() -> ForkServer:
    """That of this process; it ends with it."""
    return ForkServer()


def serve() -> None:
    """The life of the server: load everything, then fork a child for each request on stdin, until nobody asks any more."""
    channel = socket.socket(fileno=os.dup(0))
    _load_everything()
    gc.freeze()
    while True:
        request, descriptors, _, _ = socket.recv_fds(channel, LONGEST, 1)
        if not request:
            return
        pid = os.fork()
        if not pid:
            _live(channel, descriptors[0], *json.loads(request))
        os.close(descriptors[0])
        channel.send(str(pid).encode())
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert ended
        channel.send(str(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status).encode())
        select.select([channel], [], [])
        os.waitpid(pid, 0)


def _load_everything() -> None:
    # Which plugins are installed does not change meanwhile, and looking takes as long as a pass of a small story.
    patch.object(importlib.metadata, "entry_points", functools.cache(importlib.metadata.entry_points)).start()
    for plugin in every():
        loader.load(discovery.find(plugin))
    for package in (pollctl, *(importlib.import_module(f"pollctl_{plugin}") for plugin in every())):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for name in LOADED_LATE:
        importlib.import_module(name)
    importlib.import_module("apprise").Apprise.instantiate("json://127.0.0.1")
    assert threading.active_count() == 1, "what is forked must not have threads"


def _live(channel: socket.socket, stderr: int, words: Sequence[str], folder: str, env: Mapping[str, str]) -> NoReturn:
    """The life of a child: what the shell and ``python -m pollctl`` do; it leaves without clearing up what was loaded."""
    if not channel.recv(LONGEST):
        os._exit(0)
    channel.close()
    with Path(os.devnull).open("r+b", buffering=0) as nothing:
        for number, descriptor in enumerate((nothing.fileno(), nothing.fileno(), stderr)):
            os.dup2(descriptor, number)
    os.close(stderr)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["pollctl", *words]
    atexit._clear()  # what the server registered is not for its children
    code = main()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
