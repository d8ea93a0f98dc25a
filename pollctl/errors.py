"""What can go wrong, as kinds that a caller can tell apart.

Raised where the fact is known and caught once, at the top. Each kind has an exit code; a message says what,
with which value, and what would work.
"""

from __future__ import annotations


class PollctlError(Exception):
    """Anything that pollctl can explain; what is not a PollctlError is a bug and keeps its traceback.

    Attributes:
        exit_code: what a command that ends with this error exits with.
    """

    exit_code = 1


class UsageError(PollctlError):
    """The command was called wrongly; nothing was started."""

    exit_code = 2


class ConfigError(PollctlError):
    """The settings are wrong; nothing was started.

    Args:
        problems: one line each: file, key, what was found, what is allowed.
    """

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LockedError(PollctlError):
    """Another pass holds the lock; nothing was started, safe to retry."""

    exit_code = 75


class StoppedError(PollctlError):
    """Somebody ended the command by Ctrl-C; says what was done and stands."""

    exit_code = 130


class DatabaseError(PollctlError):
    """The database cannot be used: missing, foreign, newer, damaged, full, read-only or busy."""


class MachineError(PollctlError):
    """This machine cannot do it now: no thread can be started."""


class FanoutError(PollctlError):
    """The machines that ``[pollctl.fanout]`` names could not make requests, and nobody else may."""


class PluginError(PollctlError):
    """A plugin cannot be imported, breaks the contract or raised; names the plugin and its distribution."""


class MisuseError(PluginError):
    """A hook asks for what the contract refuses; whoever called the hook says which, and where."""


class DeliveryError(PollctlError):
    """An effect could not be delivered; raised by ``pollctl_deliver``.

    Args:
        message: what happened, shown by ``pollctl outbox list``.
        retry_after: seconds before which the upstream wants no further attempt (its Retry-After), if it said so.
        permanent: the upstream will never take it: the effect is dead at once instead of being tried again.
        uncertain: it may have arrived all the same (a time-out after sending); kinds that must not be repeated then wait
            for a person as ``unknown``.

    Raises:
        TypeError: *retry_after* is not a number.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        permanent: bool = False,
        uncertain: bool = False,
    ) -> None:
        if isinstance(retry_after, bool) or not isinstance(retry_after, int | float | None):
            raise TypeError(f"retry_after of a DeliveryError is seconds as a number, not {retry_after!r}")
        super().__init__(message)
        self.retry_after = retry_after
        self.permanent = permanent
        self.uncertain = uncertain


def text_of(error: BaseException) -> str:
    """The message of an error of somebody else's code, whose ``__str__`` may raise or answer with half a character."""
    try:
        return str(error).encode(errors="backslashreplace").decode()
    except BaseException as raised:  # noqa: BLE001 - whatever it is, the first error is the one that counts
        return f"(its message cannot be read: {type(raised).__name__})"
