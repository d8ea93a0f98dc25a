"""Where a plugin shows itself in ``pollctl demo``: a folder, a clock, an inbox and the real commands.

A plugin joins the demo through the entry-point group ``pollctl.demos``: a function ``run(session)`` that sets up an upstream
of its own on the loopback and lets passes meet it.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, Self

import click

from pollctl import clock
from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

_WIDTH = 76


class Message(NamedTuple):
    """What the inbox received: who it was for, and the words."""

    recipient: str
    title: str
    body: str


class DemoSession:
    """The surroundings of one plugin's demo; use it with ``with``.

    Args:
        folder: an empty folder; settings and database live here.
        start: runs a command line of pollctl and answers its exit code.

    Attributes:
        messages: what was sent to addresses of ``inbox``, in the order of arrival.
        failures: what did not come as the demo expects it, a sentence each; with one, ``pollctl demo`` exits with 1.
    """

    def __init__(self, folder: Path, start: Callable[[Sequence[str]], int]) -> None:
        self.folder = folder
        self._start = start
        self.messages: list[Message] = []
        self.failures: list[str] = []
        self._printed = 0
        self._inbox = _Inbox(self.messages)

    def __enter__(self) -> Self:
        self._inbox.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._inbox.__exit__()

    def title(self, text: str) -> None:
        """Begin a demo."""
        click.secho(f"\n── {text} " + "─" * max(3, 74 - len(text)), bold=True)

    def say(self, text: str) -> None:
        """Say what happens, as the narrator."""
        click.echo("\n" + click.wrap_text(text, 78))

    def settings(self, section: str) -> None:
        """Write the settings file: a database in the folder, and the plugin's *section*."""
        core = '[pollctl]\ndatabase = "pollctl.db"\n'
        (self.folder / "pollctl.toml").write_text(f"{core}\n{section}\n", encoding="utf-8")

    def inbox(self, recipient: str) -> str:
        """An Apprise address that leads to ``messages``."""
        return f"{self._inbox.json_url}/{recipient}"

    def pollctl(self, *words: str, at: str, code: int = 0) -> None:
        """Show a command and what it prints, at a moment such as ``2026-03-02T09:00:00Z``; it must exit with *code*."""
        click.secho(f"\n{_command(words)}", fg="cyan", nl=False)
        click.secho(f"    # {at[11:16]}", dim=True)
        click.echo(self._output(words, at, code), nl=False)
        self._print_messages()

    def passes(self, plugin: str, *moments: str, code: int = 0) -> None:
        """Run one pass at each moment and show a line for each; each must exit with *code* (0 ok, 1 failed, 3 partial)."""
        click.echo()
        for at in moments:
            line = self._output(("run", plugin), at, code).strip()
            click.echo(_folded(f"{at[11:16]}  {' '.join(line.split())}" if _is_seen() else f"{at[11:16]}  {line}"))
            self._print_messages()

    def expect(self, what: str, *, is_so: bool) -> None:
        """Fail the demo unless what the narrator says really came about: *what* is that, as a sentence."""
        if not is_so:
            self._fail(f"it is not so that {what}")

    def expect_messages(self, recipient: str, *parts: str) -> None:
        """Fail the demo unless *recipient* has received as many messages as *parts*, each with its part, in this order."""
        received = [f"{one.title}\n{one.body}" for one in self.messages if one.recipient == recipient]
        is_so = len(received) == len(parts) and all(map(str.__contains__, received, parts))
        self.expect(f"{recipient} received {len(parts)} messages with {', '.join(map(repr, parts))}", is_so=is_so)

    def _fail(self, what: str) -> None:
        self.failures.append(what)
        click.secho(f"       FAILED: {what}", fg="red")

    def _output(self, words: tuple[str, ...], at: str, code: int) -> str:
        """What a command prints; it runs in this process, which spares each the start of an interpreter."""
        printed = _Printed()
        with (
            _set(clock.VARIABLE, at),
            _set("COLUMNS", str(_columns())),
            redirect_stdout(printed),
            redirect_stderr(_Diagnosis(printed)),
        ):
            found = self._start(["--config", str(self.folder / "pollctl.toml"), *words])
        if found != code:
            self._fail(f"`pollctl {words[0]} ...` at {at} exited with {found}, not {code}")
        return printed.getvalue()

    def _print_messages(self) -> None:
        for message in self.messages[self._printed :]:
            click.secho(_folded(f"       to {message.recipient}: {message.title}"), fg="green")
            if message.body:
                click.secho("\n".join(_folded(f"       {line}") for line in message.body.split("\n")), dim=True)
        self._printed = len(self.messages)


def _is_seen() -> bool:
    return sys.stdout.isatty()


def _columns() -> int:
    return shutil.get_terminal_size().columns or _WIDTH + 2


def _folded(line: str) -> str:
    """A line of the story; on a terminal that is narrower it goes on below its text."""
    if not _is_seen() or len(line) <= _columns():
        return line
    return textwrap.fill(line, _columns(), subsequent_indent=" " * 7, break_long_words=False, break_on_hyphens=False)


class _Printed(io.StringIO):
    """Takes what a command prints; it is laid out as for whoever looks at the demo."""

    def __init__(self) -> None:
        super().__init__()
        self._is_seen = _is_seen()

    def isatty(self) -> bool:
        """Whether somebody looks."""
        return self._is_seen


class _Diagnosis(io.TextIOBase):
    """The stderr of a command: it comes among what is printed, in order."""

    def __init__(self, printed: io.StringIO) -> None:
        self._printed = printed

    def write(self, text: str) -> int:
        """Put it there."""
        return self._printed.write(text)


def _command(words: Sequence[str]) -> str:
    """A command line that can be pasted, over as many lines as it takes."""
    lines = ["$ pollctl"]
    for word in map(shlex.quote, words):
        if len(lines[-1]) + len(word) > _WIDTH:
            lines.append("   ")
        lines[-1] += f" {word}"
    return " \\\n".join(lines)


@contextmanager
def _set(variable: str, value: str) -> Iterator[None]:
    before = os.environ.get(variable)
    os.environ[variable] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


class _Inbox(FakeUpstream):
    """Takes what Apprise posts to a ``json://`` address."""

    def __init__(self, messages: list[Message]) -> None:
        super().__init__()
        self._messages = messages

    def respond(self, request: ServerRequest) -> ServerResponse:
        posted = json.loads(request.body)
        self._messages.append(Message(request.path.strip("/"), posted["title"], posted["message"]))
        return ServerResponse(HTTPStatus.NO_CONTENT)
