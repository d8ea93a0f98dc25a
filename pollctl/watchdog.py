"""The end of a pass that does not end by itself, and of one whose supervisor is gone."""

from __future__ import annotations

import faulthandler
import os
import threading
import time

from pollctl.stop import Stop

SUPERVISOR = "POLLCTL_SUPERVISOR"
"""Environment variable in which a supervisor gives its process id to those that it starts."""

_LOOK_EVERY_S = 1.0
_LONGEST_S = 365 * 86400.0  # what faulthandler and locks can count


def watchdog(seconds: float, message: str, *, stop: Stop | None = None) -> None:
    """End this process with exit code 1 when it lives longer than *seconds* from now.

    A daemon thread does it, with one line on stderr; should something hold the interpreter's lock, faulthandler does it
    a second later, with the tracebacks of all threads. Until then *stop* is asked for the end if the process
    that ``POLLCTL_SUPERVISOR`` names is no longer our parent.

    Args:
        seconds: from now to the end.
        message: the line, without newline.
        stop: that of the pass.
    """
    seconds = min(seconds, _LONGEST_S)
    faulthandler.dump_traceback_later(seconds + 1, exit=True)
    args = (time.monotonic() + seconds, message, stop)
    threading.Thread(target=_watch, args=args, name="watchdog", daemon=True).start()


def _watch(end_at: float, message: str, stop: Stop | None) -> None:
    supervisor = os.environ.get(SUPERVISOR, "")
    while (remaining := end_at - time.monotonic()) > 0:
        if stop and supervisor and supervisor != str(os.getppid()):
            stop.request()
        time.sleep(min(remaining, _LOOK_EVERY_S))
    try:
        os.write(2, f"pollctl: {message}\n".encode(errors="backslashreplace"))
    finally:
        os._exit(1)
