"""Keeps a process from speaking with anybody but this machine; Python imports it at its start where the folder is in ``PYTHONPATH``."""

import sys
from typing import Any

_ADDRESS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0}


def _refuse_strangers(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _ADDRESS:
        return
    address = arguments[_ADDRESS[event]]
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if host and not str(host).startswith(("127.", "::1", "localhost", "/")):
        raise OSError(101, "Network is unreachable")


sys.addaudithook(_refuse_strangers)
