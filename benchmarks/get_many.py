"""How fast ``run.get_many`` is beside plain requests: 2,000 GETs of a 100-byte JSON from nginx, 64 at a time.

Run it with ``python benchmarks/get_many.py [QUIET_TURNS]``. It starts nginx (Debian: ``apt-get install nginx-light
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits

COUNT = 2000
SIDE_BY_SIDE = 64
DELAY = 0.05
IDEAL = COUNT / SIDE_BY_SIDE * DELAY
QUIET = 0.15  # of one core: what others may use while a round counts
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


class Machine:
    """How busy others keep the cores: a round beside foreign load says nothing.

    With two free cores the interpreter lock wanders between them, which costs threads half their speed; a core that
    someone else keeps busy hides that, and ``get_many`` looks twice as fast as it is.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = pids

    def foreign(self) -> float:
        """Seconds of processor time that went to others since the machine started."""
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        busy = sum(fields) - fields[3] - fields[4]  # all but idle and waiting for disks
        return (busy - sum(map(_ticks, self._pids))) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class Round(NamedTuple):
    """How long one run took, and the share of a core that others had meanwhile."""

    seconds: float
    foreign: float


def measured(run: Callable[[str], None], url: str, machine: Machine) -> Round:
    before, began = machine.foreign(), time.perf_counter()
    run(url)
    took = time.perf_counter() - began
    return Round(took, (machine.foreign() - before) / took)


def quiet_rounds(runs: Sequence[Callable[[str], None]], url: str, machine: Machine, wanted: int) -> list[list[float]]:
    """Seconds of each run, taken in turn; a turn counts only when no run of it met foreign load."""
    kept: list[list[float]] = []
    for turn in range(1, wanted * 20 + 1):
        rounds = [measured(run, url, machine) for run in runs]
        if max(one.foreign for one in rounds) <= QUIET:
            kept.append([one.seconds for one in rounds])
        if len(kept) == wanted:
            print(f"  {wanted} quiet turns, {turn - wanted} dropped for foreign load")
            return kept
        time.sleep(0.2)
    sys.exit(f"the machine is too busy: {len(kept)} of {wanted} turns were quiet")


@contextmanager
def nginx() -> Iterator[tuple[str, int]]:
    """The address and process id of an nginx of our own."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None or not ECHO.exists():
        sys.exit("nginx is missing: apt-get install nginx-light libnginx-mod-http-echo")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        template = Path(__file__).with_name("nginx.conf").read_text()
        late = f"echo_sleep {DELAY}; echo -n '{BODY}';"
        conf = Path(folder, "nginx.conf")
        conf.write_text(template.format(folder=folder, port=port, body=BODY, late=late, echo=f"load_module {ECHO};"))
        process = subprocess.Popen([program, "-p", folder, "-c", str(conf), "-e", f"{folder}/error.log"])
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}", process.pid
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


def compare(url: str, machine: Machine, wanted: int) -> None:
    turns = quiet_rounds((with_requests, with_get_many), f"{url}/now", machine, wanted)
    for name, column in (("requests", 0), ("get_many", 1)):
        rates = sorted(COUNT / turn[column] for turn in turns)
        print(f"  {name}  median {statistics.median(rates):5.0f}/s, from {rates[0]:.0f} to {rates[-1]:.0f}")
    ratios = sorted(turn[0] / turn[1] for turn in turns)
    print(f"  get_many / requests, turn by turn: median {statistics.median(ratios):.2f}, from {ratios[0]:.2f}")


def main(wanted: int) -> None:
    cores = os.sched_getaffinity(0)
    print(f"{len(cores)} cores, Python {platform.python_version()}, {platform.machine()}; {COUNT} GETs, 64 at a time")
    with nginx() as (url, pid):
        machine = Machine(os.getpid(), pid)
        with_requests(f"{url}/now")  # imports, caches
        with_get_many(f"{url}/now")
        print("all cores:")
        compare(url, machine, wanted)
        print("this process on one core (the interpreter lock cannot wander):")
        os.sched_setaffinity(0, {min(cores)})
        compare(url, machine, wanted)
        os.sched_setaffinity(0, cores)
        print("50 ms each, all cores:")
        took = statistics.median(turn[0] for turn in quiet_rounds((with_get_many,), f"{url}/late", machine, wanted))
        print(f"  median {took:.3f} s, {took / IDEAL:.3f} x the ideal {IDEAL:.4f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
