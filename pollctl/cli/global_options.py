"""The options of pollctl itself, which may stand behind the command as well."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import click

VALUED = {"--config": "config_file", "--log-format": "log_format"}
FLAGS = {"--debug": "debug", "--utc": "is_utc", "-v": "is_verbose", "--verbose": "is_verbose"}
NAMES = (*VALUED, *FLAGS)


def taken(ctx: click.Context, command: click.Command, words: Sequence[str]) -> list[str]:
    """The words that are left for *command* when the global options among them are given to the root's context.

    A command that has an option of the same name keeps it.

    Raises:
        click.BadOptionUsage: one that wants a value is the last word.
        click.BadParameter: it has a value that it cannot have.
    """
    if not any(word.partition("=")[0] in NAMES for word in words):
        return list(words)
    own = _own_options(ctx, command, words)
    waiting = deque(words)
    left: list[str] = []
    while waiting:
        word = waiting.popleft()
        name, has_value, value = word.partition("=")
        if word == "--":
            return [*left, word, *waiting]
        if name in own or name not in NAMES:
            left.append(word)
            if own.get(name) and not has_value and waiting:  # its value, whatever that looks like
                left.append(waiting.popleft())
        elif name in FLAGS:
            ctx.params[FLAGS[name]] = True
        else:
            _give(ctx, VALUED[name], value if has_value else _next(ctx, name, waiting))
    return left


def config_behind(words: Sequence[str]) -> str | None:
    """The settings file that is named behind a command; which commands there are depends on it."""
    words = words[: words.index("--")] if "--" in words else words
    for at, word in enumerate(words):
        name, has_value, value = word.partition("=")
        if name == "--config":
            return value if has_value else next(iter(words[at + 1 :]), None)
    return None


def _give(ctx: click.Context, name: str, value: str) -> None:
    """Let the root have an option as if it stood before the command."""
    for option in ctx.command.params:
        if option.name == name:
            ctx.params[name] = option.type_cast_value(ctx, value)


def _next(ctx: click.Context, name: str, waiting: deque[str]) -> str:
    if not waiting:
        raise click.BadOptionUsage(name, f"Option {name!r} requires an argument.", ctx)
    return waiting.popleft()


def _own_options(ctx: click.Context, command: click.Command, words: Sequence[str]) -> dict[str, bool]:
    """The options of the command that *words* lead to and of those above it; whether each takes a value."""
    own: dict[str, bool] = {}
    names = deque(word for word in words if not word.startswith("-"))
    while True:
        for one in command.get_params(ctx):
            if isinstance(one, click.Option):
                own |= dict.fromkeys((*one.opts, *one.secondary_opts), not (one.is_flag or one.count))
        inner = command.get_command(ctx, names.popleft()) if isinstance(command, click.Group) and names else None
        if inner is None:
            return own
        command = inner
