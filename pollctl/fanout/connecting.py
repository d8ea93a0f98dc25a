"""The way to a scheduler: what it takes, what is wrong with it, and who is there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pollctl.concurrency.daemon_executor import DaemonExecutor
from pollctl.errors import FanoutError

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

    from pollctl.config.schema import Fanout

WITHIN_S = 3.0
"""How long connecting may take, and then each worker until it has shown its versions."""


def why_no_dask() -> str:
    """Why Dask cannot be used, behind the setting that asks for it; empty where it can."""
    return "" if find_spec("distributed") else "needs the extra pollctl[dask]: no module named 'distributed'"


def problems_of(settings: Fanout) -> Iterator[str]:
    """What is wrong with ``[pollctl.fanout]``, each with its key: what reading the settings does not look at."""
    if settings.engine == "local":
        return
    if why := why_no_dask():
        yield f'pollctl.fanout.engine: "dask" {why}'
        return
    missing = [f"pollctl.fanout.{key}: there is no file {file}" for key, file in _files(settings) if not file.is_file()]
    yield from missing
    if missing:
        return
    try:
        security_of(settings).get_connection_args("client")
    except FanoutError as error:
        yield f"pollctl.fanout.key: {error}"
    except (OSError, ValueError) as error:
        yield f"pollctl.fanout: ca_file, cert and key cannot be used together: {error}"


def _files(settings: Fanout) -> Iterator[tuple[str, Path]]:
    for key, file in (("ca_file", settings.ca_file), ("cert", settings.cert)):
        if file:
            yield key, file


def security_of(settings: Fanout) -> Security:
    """What both sides know each other by.

    Raises:
        FanoutError: the key is encrypted: OpenSSL would ask for its password on the terminal.
    """
    from distributed.security import Security

    if not settings.address.startswith("tls://"):
        return Security(require_encryption=False)
    if "ENCRYPTED" in settings.key.reveal():
        raise FanoutError("the key is encrypted, and nobody is there to type its password")
    return Security(
        require_encryption=True,
        tls_ca_file=str(settings.ca_file),
        tls_client_cert=str(settings.cert),
        tls_client_key=settings.key.reveal(),
    )


async def connected(settings: Fanout) -> Client:
    """A connection to the scheduler.

    Raises:
        OSError: there is none within time; ``TimeoutError`` is one.
        ValueError: the certificates cannot be used.
        FanoutError: their key cannot.
        ImportError: the extra is not installed.
    """
    import asyncio

    _keep_quiet()
    security = security_of(settings)
    scheme, host, port = _parts(settings.address)
    async with asyncio.timeout(WITHIN_S):
        with DaemonExecutor(1) as executor:
            number = await asyncio.wrap_future(executor.submit(_number_of, host, port))
        return await _client_of(f"{scheme}://{number}:{port}", host, security)


def _parts(address: str) -> tuple[str, str, int]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or 0


def _number_of(host: str, port: int) -> str:
    """The first address of a host that takes connections, as it stands before a port.

    Dask would look the name up in the thread of its event loop, which stands still until the resolver answers.
    """
    with socket.create_connection((host, port), timeout=WITHIN_S / 2) as connection:
        number = str(connection.getpeername()[0])
    return f"[{number}]" if ":" in number else number


async def _client_of(address: str, host: str, security: Security) -> Client:
    from distributed import Client

    made = Client(address, asynchronous=True, set_as_default=False, security=security, timeout=WITHIN_S, name="pollctl")
    made.connection_args["server_hostname"] = host  # said in the handshake of TLS, as with the name in the address
    try:
        await made
    except BaseException:
        await close(made)
        raise
    return made


async def close(client: Client) -> None:
    """Let the scheduler go, which may be gone itself."""
    import asyncio

    with suppress(Exception):
        await asyncio.wait_for(client.close(), 0.5)


def _keep_quiet() -> None:
    """Have Dask's own words about lost connections not stand beside ours, before it sets its loggers up."""
    import dask

    if "distributed" not in (dask.config.get("logging", None) or {}):
        dask.config.set(logging={"distributed": "critical", "distributed.client": "critical", "tornado": "critical"})
