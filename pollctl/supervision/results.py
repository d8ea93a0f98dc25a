"""What the end of a pass' process means: the outcome, the exit code of all together, and what to say."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import msgspec
from msgspec import Struct

from pollctl.errors import ConfigError
from pollctl.signals import name_of
from pollctl.supervision.subprocesses import Exit

FAILED, REFUSED, PARTIAL, LOCKED = 1, 2, 3, 75
_BY_SIGNAL = 128
_INTERRUPTED = (130, 143)
_EXPECTED = {"ok": 0, "partial": PARTIAL}
_WRONG_EXIT_CODE = "WrongExitCode"


class PassResult(Struct, frozen=True, kw_only=True):
    """What became of one plugin's pass.

    Attributes:
        plugin: its name.
        outcome: that of the pass; ``crashed`` if it was killed, ``locked`` or ``refused`` if it did not start.
        exit_code: what the pass alone would have exited with; 1 for one that was killed, or whose process ended otherwise.
        report: what ``run --json`` would print, if the pass came as far.
        message: one line about what went wrong, or nothing.
        is_cut_off: whether its run may be left ``running``.
        kind: of what went wrong.
        targets: those that could not be fetched.
    """

    plugin: str
    outcome: str
    exit_code: int
    report: Mapping[str, object] | None = None
    message: str = ""
    is_cut_off: bool = False
    kind: str = ""
    targets: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What it is compared by: the same trouble is the same, in whatever words and order; empty where there is none."""
        if not self.message:
            return ""
        what = sorted(self.targets) if self.targets else self.message
        return msgspec.json.encode([self.outcome, self.kind, what]).decode()

    def as_json(self) -> Mapping[str, object]:
        """The report, or in its place as much of one as there is."""
        error = {"type": self.kind or self.outcome.capitalize(), "message": self.message} if self.message else None
        if self.report:
            return self.report if self.report.get("error") or not error else {**self.report, "error": error}
        return {"plugin": self.plugin, "outcome": self.outcome, "error": error}


class BatchResult(Struct, frozen=True):
    """How several passes ended, in the order in which they did, and the signal that cut them short (0: none)."""

    passes: tuple[PassResult, ...]
    ended_by: int

    def exit_code(self, *, locked: int) -> int:
        """One exit code for all: the worst; *locked* stands for passes whose lock another one held."""
        if self.ended_by:
            return _BY_SIGNAL + self.ended_by
        codes = {result.exit_code for result in self.passes}
        if codes - {0, PARTIAL, LOCKED, *_INTERRUPTED}:
            return FAILED
        if codes & {PARTIAL, *_INTERRUPTED}:
            return PARTIAL
        return locked if LOCKED in codes else 0


def is_bad_unrecorded(key: str) -> bool:
    """Whether a pass of this ``key`` was bad in a way that no run records: refused, or its process ended otherwise."""
    with suppress(msgspec.DecodeError):
        outcome, kind, _ = msgspec.json.decode(key, type=tuple[str, str, object])
        return outcome == "refused" or kind == _WRONG_EXIT_CODE
    return False


def refused(plugin: str, error: ConfigError) -> PassResult:
    """A pass that was not started, as the settings are wrong."""
    return PassResult(plugin=plugin, outcome="refused", exit_code=REFUSED, message="; ".join(error.problems))


def pass_result(exit_: Exit, errors: str, *, ended_by: int) -> PassResult:
    """What the end of a process means for its pass.

    Args:
        exit_: how the process ended.
        errors: the last that it said, on one line.
        ended_by: the signal that all passes were sent, or 0.
    """
    name, report = exit_.task.name, _report(exit_.report)
    if exit_.not_started:
        why = f"cannot be started: {exit_.not_started}"
        return PassResult(plugin=name, outcome="refused", exit_code=FAILED, message=why)
    if exit_.is_overdue or exit_.code < 0:
        return _killed(exit_, ended_by)
    if report is None:
        return _unreported(name, exit_.code, errors)
    message = f"{report.outcome}: {report.error.message}" if report.error else ""
    strange_end = _strange_end(report.outcome, exit_.code)
    return PassResult(
        plugin=name,
        outcome=report.outcome,
        exit_code=FAILED if strange_end else exit_.code,
        report=msgspec.json.decode(exit_.report),
        message="; ".join(filter(None, (message, strange_end))),
        kind=_WRONG_EXIT_CODE if strange_end else report.error.type if report.error else "",
        targets=report.error.targets if report.error else (),
    )


def _strange_end(outcome: str, code: int) -> str:
    """What to say where a process ended otherwise than its pass, which had reported already; else nothing."""
    expected = _EXPECTED.get(outcome, code)
    if code in (expected, *_INTERRUPTED):
        return ""
    return (
        f"the pass was {outcome}, but its process ended with exit code {code} in place of {expected}: "
        "something that runs when Python ends, an atexit handler perhaps, ended it"
    )


def _killed(exit_: Exit, ended_by: int) -> PassResult:
    name = exit_.task.name
    if not exit_.is_overdue and -exit_.code == ended_by:  # before it listened, or asked a second time
        return PassResult(plugin=name, outcome="interrupted", exit_code=_BY_SIGNAL + ended_by, is_cut_off=True)
    overdue = f"killed {exit_.task.limit_s:g} s after its start, at the end of deadline and grace"
    why = overdue if exit_.is_overdue else f"ended by {name_of(-exit_.code)}"
    return PassResult(plugin=name, outcome="crashed", exit_code=FAILED, message=why, is_cut_off=True)


def _unreported(name: str, code: int, errors: str) -> PassResult:
    """A pass that ended before it could report, or never began."""
    if code == LOCKED:
        return PassResult(plugin=name, outcome="locked", exit_code=code)
    if code in _INTERRUPTED:
        return PassResult(plugin=name, outcome="interrupted", exit_code=code)
    why = errors or f"ended with exit code {code} without saying why"
    if code == REFUSED:
        return PassResult(plugin=name, outcome="refused", exit_code=code, message=why)
    return PassResult(plugin=name, outcome="failed", exit_code=FAILED, message=why, is_cut_off=True)


class _Error(Struct):
    message: str
    type: str = ""
    targets: tuple[str, ...] = ()


class _Report(Struct):
    """What is read of a report here; the rest goes through as it is."""

    outcome: str
    error: _Error | None = None


def _report(text: bytes) -> _Report | None:
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(text, type=_Report)
    return None
