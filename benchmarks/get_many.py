"""How fast ``run.get_many`` is beside plain requests: 2,000 GETs of a 100-byte JSON from nginx on loopback, 64 at a time.

Run it with ``python benchmarks/get_many.py [ROUNDS]``. It starts nginx (Debian: ``apt-get install nginx-light
libnginx-mod-http-echo``) on a free port and stops it again. The second part answers each request after 50 ms.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import SimpleQueue

from pollctl.http import Client, Limits
from pollctl.model import Request
from pollctl.stop import Stop

COUNT = 2000
SIDE_BY_SIDE = 64
DELAY = 0.05
IDEAL = COUNT / SIDE_BY_SIDE * DELAY
BODY = '{"campus":"NB","index":"01234","open":true,"title":"Introduction to Computers and Their Use","n":123}'
ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")


def with_get_many(url: str) -> None:
    with closing(Client(Limits(), stop=Stop())) as client:
        answers = client.get_many((Request(url=url) for _ in range(COUNT)), concurrency=SIDE_BY_SIDE)
        bodies = [answer.body for answer in answers]
    assert bodies == [BODY.encode()] * COUNT


def with_requests(url: str) -> None:
    """What one would write by hand: a session per thread, all of them fed from a queue."""
    import requests

    waiting: SimpleQueue[str | None] = SimpleQueue()
    bodies: SimpleQueue[bytes] = SimpleQueue()

    def work() -> None:
        with requests.Session() as session:
            while (wanted := waiting.get()) is not None:
                bodies.put(session.get(wanted, timeout=10).content)

    for wanted in [url] * COUNT + [None] * SIDE_BY_SIDE:
        waiting.put(wanted)
    for _ in range(SIDE_BY_SIDE):
        threading.Thread(target=work, daemon=True).start()
    assert [bodies.get() for _ in range(COUNT)] == [BODY.encode()] * COUNT


def seconds(run: Callable[[str], None], url: str) -> float:
    began = time.perf_counter()
    run(url)
    return time.perf_counter() - began


@contextmanager
def nginx() -> Iterator[str]:
    """The address of an nginx of our own."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None or not ECHO.exists():
        sys.exit("nginx is missing: apt-get install nginx-light libnginx-mod-http-echo")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        template = Path(__file__).with_name("nginx.conf").read_text()
        late = f"echo_sleep {DELAY}; echo -n '{BODY}';"
        conf = Path(folder, "nginx.conf")
        conf.write_text(
            template.format(folder=folder, port=port, body=BODY, late=late, echo=f"load_module {ECHO};"),
        )
        process = subprocess.Popen([program, "-p", folder, "-c", str(conf), "-e", f"{folder}/error.log"])
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=10)


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("nginx does not answer")


def main(rounds: int) -> None:
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}; {COUNT} GETs, 64 at a time"
    )
    with nginx() as url:
        for run in (with_requests, with_get_many):
            run(f"{url}/now")  # imports, caches
        rates: dict[Callable[[str], None], list[float]] = {with_requests: [], with_get_many: []}
        for _ in range(rounds):
            for run, found in rates.items():
                found.append(COUNT / seconds(run, f"{url}/now"))
        plain, ours = (statistics.median(found) for found in rates.values())
        for run, found in rates.items():
            print(
                f"{run.__name__:14} median {statistics.median(found):6.0f}/s  of {sorted(round(rate) for rate in found)}"
            )
        print(f"get_many is {ours / plain:.2f} x plain requests")
        late = [seconds(with_get_many, f"{url}/late") for _ in range(rounds)]
        took = statistics.median(late)
        print(f"with 50 ms each: median {took:.3f} s, {took / IDEAL:.3f} x the ideal {IDEAL:.4f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
