"""What the code of plugins leaves running, or raises where nobody catches it: threads, finalisers, calls at exit."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import Any


def log_in_one_line() -> None:
    """From now on log such errors in one line with secrets masked, in place of Python's bare traceback."""
    threading.excepthook = _log_thread_error
    sys.unraisablehook = _log_unraisable


def leave(code: int) -> int:
    """End the process at once if a thread would keep it from ending; else answer *code*."""
    if not any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        return code
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, full or gone
            stream.flush()
    os._exit(code)


def end_soon(code: int) -> None:
    """End the process, where only our own code was at work: in order, but without taking down what it imported.

    That takes as long as a quarter of the imports. Comes back where code of plugins or of Apprise's was loaded, a thread is
    left, or what was printed cannot be written: Python's own end is for that.
    """
    if _is_anyone_else_here() or threading.active_count() > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - as Python begins its own end
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError, AttributeError):
        return
    os._exit(code)


def _is_anyone_else_here() -> bool:
    """Whether code was loaded that is not ours, which may have left something to be done when its objects go."""
    installed = sys.modules.get("pollctl.plugin_host.installed")
    return "apprise" in sys.modules or (installed is not None and bool(installed.loaded))


def _log_thread_error(raised: threading.ExceptHookArgs) -> None:
    if raised.exc_type is not SystemExit:  # which ends a thread quietly
        _log_error(
            f"thread {raised.thread.name if raised.thread else 'unknown'}", raised.exc_value or raised.exc_type()
        )


def _log_unraisable(raised: Any) -> None:
    _log_error(raised.err_msg or f"in {raised.object!r}", raised.exc_value)


def _log_error(where: str, error: BaseException | None) -> None:
    from pollctl.console import log

    log(f"{where} raised {type(error).__name__}: {error}")
