"""A screen of a given size: a real pseudo-terminal, with a terminal emulator (pyte) at its other end."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyte

LINES = 2000
_DRIVER = """
import json, sys
from pollctl.cli import start
for words in json.loads(sys.argv[1]):
    print("$ pollctl", " ".join(words), flush=True)
    start(words)
    print(flush=True)
"""


class Screen(NamedTuple):
    """What a person sees at the end, and all that was sent to get there."""

    text: str
    sent: str
    code: int = 0

    @property
    def lines(self) -> list[str]:
        """The lines of the screen, without blanks at their ends."""
        return self.text.splitlines()


def show(command: Sequence[str], *, columns: int, cwd: Path, env: Mapping[str, str], interrupt_at: str = "") -> Screen:
    """Run a command on a terminal of *columns* to its end; it gets SIGINT once it has sent *interrupt_at*."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    surroundings = {"TERM": "xterm-256color"} | {key: value for key, value in env.items() if key != "COLUMNS"}
    process = subprocess.Popen(command, cwd=cwd, env=surroundings, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    sent = b""
    while part := _read(master):
        is_new = interrupt_at.encode() not in sent
        sent += part
        if interrupt_at and is_new and interrupt_at.encode() in sent:
            process.send_signal(signal.SIGINT)
    os.close(master)
    return seen(sent.decode(), columns)._replace(code=process.wait(timeout=60))


def show_listings(commands: Sequence[Sequence[str]], *, columns: int, cwd: Path, env: Mapping[str, str]) -> Screen:
    """Run several command lines of pollctl one after another, in one process, each below its prompt."""
    return show([sys.executable, "-c", _DRIVER, json.dumps(commands)], columns=columns, cwd=cwd, env=env)


def seen(sent: str, columns: int) -> Screen:
    """What a terminal of *columns* makes of what was sent to it."""
    screen = pyte.Screen(columns, LINES)
    pyte.Stream(screen).feed(sent)
    written = max(screen.buffer, default=-1) + 1
    lines = ("".join(screen.buffer[number][column].data for column in range(columns)) for number in range(written))
    return Screen("\n".join(line.rstrip() for line in lines).rstrip("\n"), sent)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # EIO: the other end is closed
        return b""
