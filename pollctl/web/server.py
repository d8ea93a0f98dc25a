"""Serving until a signal, on the loopback device or on a Unix socket, to whoever has the address."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from pollctl.errors import PollctlError
from pollctl.signals import ENDING
from pollctl.web.gate import Gate

if TYPE_CHECKING:
    from pollctl.web.site import Site

LOOPBACK = "127.0.0.1"
_PATIENCE_S = 2  # for answers that are on their way when it ends
_LOOK_EVERY_S = 0.25


@contextmanager
def listening_on_port(port: int) -> Iterator[socket.socket]:
    """Listen on the loopback device; 0 takes a free port.

    Raises:
        PollctlError: it is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            listener.listen()
        except OSError as error:
            raise PollctlError(f"{LOOPBACK}:{port}: {error.strerror}; `--port` names another") from error
        yield listener


@contextmanager
def listening_on_path(path: Path) -> Iterator[socket.socket]:
    """Listen on a Unix socket that its owner alone may use, and remove it afterwards.

    Raises:
        PollctlError: it cannot be made there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
            listener.listen()
        except OSError as error:
            raise PollctlError(f"{path}: {_why_not(path, error)}") from error
        finally:
            os.umask(before)
        made = path.lstat()
        try:
            yield listener
        finally:
            with suppress(OSError):
                if os.path.samestat(path.lstat(), made):
                    path.unlink()


def _why_not(path: Path, error: OSError) -> str:
    with suppress(OSError):
        what = "a socket lies" if stat.S_ISSOCK(path.lstat().st_mode) else "something lies"
        return f"{what} there already; end who listens on it, then remove it, or name another"
    return f"{error.strerror or error}; name another path"


def serve(site: Site, listener: socket.socket, announce: Callable[[str], None]) -> None:
    """Answer requests until SIGTERM, SIGINT or SIGHUP, or a statement that does not end.

    Args:
        site: what is shown.
        listener: where requests come in.
        announce: called with the path that lets in once, when it does.
    """
    port = listener.getsockname()[1] if listener.family == socket.AF_INET else 0
    gate = Gate(site.datasette.app(), f"pollctl-web-{port}")
    config = uvicorn.Config(
        gate,
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE_S,
    )
    asyncio.run(_serve(site, uvicorn.Server(config), listener, lambda: announce(gate.login)))


async def _serve(site: Site, server: uvicorn.Server, listener: socket.socket, announce: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_IGN:  # as nohup asks
            continue
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    # Requests that are cut off when it ends are no errors.
    logging.getLogger("uvicorn.error").addFilter(lambda _: not server.should_exit)
    announce()
    looking = asyncio.create_task(_end_if_stuck(site, server))
    await server.serve([listener])
    looking.cancel()


async def _end_if_stuck(site: Site, server: uvicorn.Server) -> None:
    while not site.is_stuck():  # noqa: ASYNC110 - asked of a thread, which knows no events of asyncio
        await asyncio.sleep(_LOOK_EVERY_S)
    server.should_exit = server.force_exit = True
