"""How fast ``run.get_many`` is beside its peers: 2,000 GETs of a 100-byte JSON from nginx.

    python benchmarks/get_many.py [TURNS]

First 64 at a time of answers that come at once, against plain requests in threads; then 256 at a time of answers that take
50 ms, against the ideal. Peers are taken where they are installed: aiohttp, curl with ``--parallel``, and blackbox_exporter
(Debian: ``prometheus-blackbox-exporter``), which that curl asks to ask nginx. It starts nginx (Debian: ``apt-get install
nginx-light libnginx-mod-http-echo``) and blackbox_exporter on free ports and stops them again. Turns in which others kept the
cores busy count too, and it says how busy: rates mean little then, processor time beside that of a peer still means something.
"""

from __future__ import annotations

import asyncio
import os
import platform
import resource
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
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, NamedTuple
from urllib.request import urlopen

from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits

COUNT = 2000
AT_ONCE, LATE = 64, 256  # at a time
DELAY = 0.05
IDEAL = -(-COUNT // LATE) * DELAY
BODY = '{"campus":"NB","index":"01234","open":true,"title":"Introduction to Computers and Their Use","n":123}'
ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")

Run = Callable[[str, int], None]
"""Asks an address, so many times at once."""


class Contender(NamedTuple):
    """Somebody who asks, and what says how much processor time that has taken in all, in seconds."""

    run: Run
    spent: Callable[[], float]


def with_get_many(engine: Literal["python", "curl"], url: str, at_once: int) -> None:
    with closing(Client(Limits(engine=engine), stop=Stop())) as client:
        answers = client.get_many((Request(url=url) for _ in range(COUNT)), concurrency=at_once)
        bodies = [answer.body for answer in answers]
    assert bodies == [BODY.encode()] * COUNT


def with_requests(url: str, at_once: int) -> None:
    """What one would write by hand: a session per thread, all of them fed from a queue."""
    import requests

    waiting: SimpleQueue[str | None] = SimpleQueue()
    bodies: SimpleQueue[bytes] = SimpleQueue()

    def work() -> None:
        with requests.Session() as session:
            while (wanted := waiting.get()) is not None:
                bodies.put(session.get(wanted, timeout=10).content)

    for wanted in [url] * COUNT + [None] * at_once:
        waiting.put(wanted)
    for _ in range(at_once):
        threading.Thread(target=work, daemon=True).start()
    assert [bodies.get() for _ in range(COUNT)] == [BODY.encode()] * COUNT


def with_aiohttp(url: str, at_once: int) -> None:
    import aiohttp

    async def ask_all() -> list[bytes]:
        connector, limit = aiohttp.TCPConnector(limit=at_once), aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(connector=connector, timeout=limit) as session:

            async def ask() -> bytes:
                async with session.get(url) as response:
                    body: bytes = await response.read()
                    return body

            return list(await asyncio.gather(*(ask() for _ in range(COUNT))))

    assert asyncio.run(ask_all()) == [BODY.encode()] * COUNT


def with_curl(url: str, at_once: int) -> None:
    words = f'url = "{url}"\noutput = "/dev/null"\n' * COUNT
    command = ["curl", "--parallel", "--parallel-max", str(at_once), "--no-progress-meter", "--fail", "--config", "-"]
    subprocess.run(command, input=words, text=True, check=True, stdout=subprocess.DEVNULL)


def with_blackbox(exporter: str, url: str, at_once: int) -> None:
    probe = f"{exporter}/probe?module=http&target={url}"
    with urlopen(probe) as answer:
        assert b"probe_success 1" in answer.read()
    with_curl(probe, at_once)


def contenders(exporter: tuple[str, int] | None) -> dict[str, Contender]:
    """Requests first: the others are held against it."""
    runs: dict[str, Run] = {"requests": with_requests, "get_many (python)": partial(with_get_many, "python")}
    if find_spec("pycurl"):
        runs["get_many (curl)"] = partial(with_get_many, "curl")
    if find_spec("aiohttp"):
        runs["aiohttp"] = with_aiohttp
    if shutil.which("curl"):
        runs["curl --parallel"] = with_curl
    found = {name: Contender(run, _spent) for name, run in runs.items()}
    if exporter:
        address, pid = exporter
        of_exporter = partial(_seconds, pid)  # who asks it is left out
        found["blackbox_exporter"] = Contender(partial(with_blackbox, address), of_exporter)
    return found


class Machine:
    """How busy others keep the cores.

    With two free cores the interpreter lock wanders between them, which costs threads half their speed; a core that
    someone else keeps busy hides that, and ``get_many`` on threads looks twice as fast as it is.
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


class Turn(NamedTuple):
    """One run: seconds, processor seconds, and the share of a core that others had meanwhile."""

    seconds: float
    cpu: float
    foreign: float


def measured(one: Contender, url: str, at_once: int, machine: Machine) -> Turn:
    before, spent, began = machine.foreign(), one.spent(), time.perf_counter()
    one.run(url, at_once)
    took = time.perf_counter() - began
    return Turn(took, one.spent() - spent, (machine.foreign() - before) / took)


def _seconds(pid: int) -> float:
    return _ticks(pid) / os.sysconf("SC_CLK_TCK")


def _spent() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def in_turn(
    contenders: dict[str, Contender], url: str, at_once: int, machine: Machine, turns: int
) -> dict[str, list[Turn]]:
    """Each run once, and again, so that all meet the same weather."""
    found: dict[str, list[Turn]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, one in contenders.items():
            found[name].append(measured(one, url, at_once, machine))
            time.sleep(0.2)
    busy = statistics.median(turn.foreign for turns_of in found.values() for turn in turns_of)
    print(f"  others had {busy:.1f} of {os.cpu_count()} cores (median)")
    return found


@contextmanager
def nginx() -> Iterator[tuple[str, int]]:
    """The address and process id of an nginx of our own."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None or not ECHO.exists():
        sys.exit("nginx is missing: apt-get install nginx-light libnginx-mod-http-echo")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        template = Path(__file__).with_name("nginx.conf").read_text()
        late = f"echo_sleep {DELAY}; echo -n '{BODY}';"
        conf = Path(folder, "nginx.conf")
        conf.write_text(template.format(folder=folder, port=port, body=BODY, late=late, echo=f"load_module {ECHO};"))
        with served([program, "-p", folder, "-c", str(conf), "-e", f"{folder}/error.log"], port) as started:
            yield started


@contextmanager
def blackbox_exporter() -> Iterator[tuple[str, int] | None]:
    """The address and process id of one of our own; None where it is not installed."""
    program = shutil.which("prometheus-blackbox-exporter") or shutil.which("blackbox_exporter")
    if program is None:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder, "blackbox.yml")
        conf.write_text("modules: {http: {prober: http, timeout: 10s}}")
        words = [program, f"--config.file={conf}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
        with served(words, port) as started:
            yield started


@contextmanager
def served(command: list[str], port: int) -> Iterator[tuple[str, int]]:
    """The address and process id of a server at *port*, which is stopped at the end."""
    process = subprocess.Popen(command)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(timeout=10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing answers at port {port}")


def show_at_once(found: dict[str, list[Turn]]) -> None:
    base = found["requests"]
    for name, turns in found.items():
        rates = sorted(COUNT / turn.seconds for turn in turns)
        ratio = statistics.median(theirs.seconds / mine.seconds for theirs, mine in zip(base, turns, strict=True))
        print(
            f"  {name:18} {statistics.median(rates):6.0f}/s ({rates[0]:.0f} to {rates[-1]:.0f}), "
            f"{ratio:5.2f} x requests, {_cpu_us(turns):4.0f} us of CPU each"
        )


def show_late(found: dict[str, list[Turn]]) -> None:
    for name, turns in found.items():
        ratios = sorted(turn.seconds / IDEAL for turn in turns)
        print(
            f"  {name:18} {statistics.median(ratios):5.2f} x the ideal ({ratios[0]:.2f} to {ratios[-1]:.2f}), "
            f"{_cpu_us(turns):4.0f} us of CPU each"
        )


def _cpu_us(turns: list[Turn]) -> float:
    return statistics.median(turn.cpu for turn in turns) / COUNT * 1e6


def main(turns: int) -> None:
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}, {platform.machine()}")
    with nginx() as (url, pid), blackbox_exporter() as exporter:
        machine = Machine(os.getpid(), pid, *([exporter[1]] if exporter else []))
        all_of_them = contenders(exporter)
        for one in all_of_them.values():
            one.run(f"{url}/now", AT_ONCE)  # imports, caches
        print(f"{COUNT} GETs, {AT_ONCE} at a time, answered at once:")
        show_at_once(in_turn(all_of_them, f"{url}/now", AT_ONCE, machine, turns))
        print(f"{COUNT} GETs, {LATE} at a time, answered after {DELAY * 1000:.0f} ms:")
        show_late(in_turn(all_of_them, f"{url}/late", LATE, machine, turns))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
