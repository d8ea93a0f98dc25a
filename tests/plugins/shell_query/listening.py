"""An address that counts who comes to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def listening() -> Iterator[tuple[str, list[int]]]:
    """An address, and how often somebody came to it."""
    visits: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stop = threading.Event()

        def count() -> None:
            while not stop.is_set():
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    continue
                visits.append(1)

        thread = threading.Thread(target=count)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/", visits
        finally:
            time.sleep(0.1)
            stop.set()
            thread.join()
