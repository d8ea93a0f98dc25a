"""What many watches cost at a look at which one page in a hundred has changed: time, processor time and memory.

Each page has a host of its own, which is why the server hears all of 127.0.0.0/8, and nothing but the loopback device.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from startup import Cost, cost, install

from watching.programs import environment, prepared

SERVER = """
import asyncio, re, socket
turn = told = 0

async def talk(reader, writer):
    global turn, told
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = re.search(rb"(?i)content-length: *(\\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            path = head.split(b" ", 2)[1][1:]
            turn += path == b"turn"
            told += path == b"hook"
            version = turn if path.isdigit() and int(path) % 100 == 0 else 0
            page = b"<html><body><h1>Page %b</h1><p>version %d</p>" % (path, version) + b"<p>and some more words</p>" * 40
            body = b"%d" % told if path == b"told" else b"ok" if path == b"hook" else page
            kind = b"text/plain" if len(body) < 9 else b"text/html; charset=utf-8"
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: %b\\r\\nContent-Length: %d\\r\\n\\r\\n" % (kind, len(body)) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    listening.bind(("0.0.0.0", 0))
    server = await asyncio.start_server(talk, sock=listening, backlog=1000)
    print(listening.getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
ASKS = """
from pathlib import Path
import msgspec
from pollctl import Poller, Request, hookimpl

class Nothing(msgspec.Struct, frozen=True): reason: str = "nothing"

@hookimpl
def pollctl_poller(): return Poller(contract=1, summary="Asks.", settings=Nothing, batch=Nothing, decision=Nothing)
@hookimpl
def pollctl_fetch(run):
    urls = Path("urls").read_text().split()
    assert sum(len(one.body) > 0 for one in run.get_many(Request(url=url) for url in urls)) == len(urls)
    yield from ()
@hookimpl
def pollctl_decide(): return []
@hookimpl
def pollctl_apply(): pass
"""


def print_costs(names: Sequence[str], bin_folder: Path, count: int) -> None:
    """Print what a look of each program costs, and how many messages it sent, beside asking for the pages alone."""
    print(f"{count} watches, one in a hundred changed")
    print(f"{'program':16}{'seconds':>10}{'processor':>11}{'memory':>9}{'messages':>10}")
    with served() as port:
        urls = [f"http://127.{1 + n // 62_500}.{n // 250 % 250}.{1 + n % 250}:{port}/{n}" for n in range(count)]
        _print("run.get_many", *asked(urls))
        for name in names:
            try:
                _print(name, *looked(name, urls, f"http://127.0.0.1:{port}", bin_folder))
            except SystemExit as error:  # a program that fails is a figure, too
                print(f"{name:16}failed: {str(error).rpartition('] ')[2]}", flush=True)


def _print(name: str, spent: Cost, messages: int) -> None:
    print(f"{name:16}{spent.wall:>8.1f} s{spent.cpu:>9.1f} s{spent.mb:>6.0f} MB{messages:>10}", flush=True)


@contextmanager
def served() -> Iterator[int]:
    """The port of a server of pages."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def looked(name: str, urls: Sequence[str], site: str, bin_folder: Path) -> tuple[Cost, int]:
    """What a second look at some pages costs a program, and how many messages come of it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        words = prepared(name, place, urls, f"{site}/hook", bin_folder)
        cost(words, place, environment(place, 0))
        before = _answer(f"{site}/told")
        _answer(f"{site}/turn")
        spent = cost(words, place, environment(place, 1))
        return spent, int(_answer(f"{site}/told")) - int(before)


def asked(urls: Sequence[str]) -> tuple[Cost, int]:
    """What a pass costs that asks for some pages and does nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        env = install(place, {"asks": "asks"}, ASKS)
        (place / "urls").write_text("\n".join(urls))
        (place / "pollctl.toml").write_text('[pollctl]\ndatabase = "pollctl.db"\ndeadline = "10m"\n[plugins.asks]\n')
        words = [sys.executable, "-m", "pollctl", "run", "asks"]
        cost(words, place, env)
        return cost(words, place, env), 0


def _answer(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body.decode(errors="replace")
