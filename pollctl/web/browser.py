"""Opening an address that lets in once in the browser of this machine, and telling nobody else."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from threading import Thread


@contextmanager
def addresses() -> Iterator[Callable[[str], None]]:
    """Yield what opens an address.

    It goes by way of a page that this user alone can read: all users of a machine see the arguments of a browser.
    """
    with tempfile.TemporaryDirectory(prefix="pollctl-") as folder:  # 0700

        def opened(address: str) -> None:
            page = Path(folder, "open.html")
            page.write_text(f'<meta http-equiv="refresh" content="0; url={escape(address)}">\n', encoding="utf-8")
            Thread(target=webbrowser.open, args=[page.as_uri()], daemon=True).start()

        yield opened
