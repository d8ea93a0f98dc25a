"""What following queries costs: a pass over 10 running queries against its ideal, building the SOAP client, and tokens.

    python benchmarks/shell_query.py [ROUNDS]

The ideal of the asking is what its number of threads need for 10 answers of a server that takes 50 ms for each; bare threads are
measured beside it. The ideal of a whole pass is a script of a few lines that asks the same with zeep and nothing else, from its
import on, since a process that wants SOAP must load it. Building the SOAP client is compared with parsing its WSDL alone;
``POLLCTL_PARTNER_WSDL`` names another to build it from as well.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

from pollctl import to_text
from pollctl_shell_query.client.soap import BUNDLED
from pollctl_shell_query.fake import PROCESSING, FakeMarketingCloud, Reply
from pollctl_shell_query.fake.envelopes import envelope, statuses
from pollctl_shell_query.fetch.rounds import CONCURRENCY

QUERIES = 10
DELAY_S = 0.05
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
IDEAL_MS = ceil(QUERIES / CONCURRENCY) * DELAY_S * 1000
LIFE_S = 1080
REAL = Path(os.environ.get("POLLCTL_PARTNER_WSDL", "nowhere"))
BUILD = """
import sys, time
from pathlib import Path
began = time.perf_counter()
import zeep
imported = time.perf_counter()
import requests
from pollctl_shell_query.client import soap
from pollctl_shell_query.client.xml import parse
path = Path(sys.argv[1]) if sys.argv[1:] else soap.BUNDLED
started = time.perf_counter()
soap.SoapClient(path, requests.Session())
built = time.perf_counter()
again = []
for _ in range(5):
    before = time.perf_counter()
    soap.SoapClient(path, requests.Session())
    again.append(time.perf_counter() - before)
before = time.perf_counter()
parse(path.read_bytes())
parsed = time.perf_counter() - before
print(*(1000 * took for took in (imported - began, built - started, min(again), parsed)))
"""
BARE_ZEEP = """
import sys, time
began = time.perf_counter()
from concurrent.futures import ThreadPoolExecutor
import zeep
address, wsdl, threads, queries = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
class Transport(zeep.transports.Transport):
    def post(self, address, message, headers):  # this upstream wants the bare name
        return super().post(address, message, {**headers, "SOAPAction": headers["SOAPAction"].strip('"')})
partner = "http://exacttarget.com/wsdl/partnerAPI"
client = zeep.Client(wsdl, transport=Transport(), settings=zeep.Settings(raw_response=True))
service = client.create_service(f"{{{partner}}}SoapBinding", address)
by_task = client.get_type(f"{{{partner}}}SimpleFilterPart")(Property="TaskID", SimpleOperator="equals", Value=["task"])
wanted = {"ObjectType": "AsyncActivityStatus", "Properties": ["Status", "ErrorMsg", "CompletedDate"], "Filter": by_task}
def ask(number):
    assert b"Processing" in service.Retrieve(RetrieveRequest=wanted).content
with ThreadPoolExecutor(threads) as executor:
    list(executor.map(ask, range(queries)))
print(1000 * (time.perf_counter() - began))
"""

CALLS = 200
ASKED_IN_TURN = """
for number in range(20): ask(number)
began = time.process_time()
for number in range(queries): ask(number)
print(1e6 * (time.process_time() - began) / queries)
"""
OURS = """
import sys, time
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.http.session import Session
from pollctl_shell_query.client.soap import SoapClient
address, queries = sys.argv[1].removesuffix("/Service.asmx"), int(sys.argv[4])
soap = SoapClient(None, Session(Client(Limits(), stop=Stop()).made))
by_task = soap.new("SimpleFilterPart", Property="TaskID", SimpleOperator="equals", Value=["task"])
wanted = {"ObjectType": "AsyncActivityStatus", "Properties": ["Status", "ErrorMsg", "CompletedDate"], "Filter": by_task}
def ask(number):
    assert b"Processing" in soap.call(address, "token", "Retrieve", RetrieveRequest=wanted).content
"""


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, load {os.getloadavg()}"
    )
    print(
        f"{QUERIES} running queries, a server of {DELAY_S * 1000:.0f} ms, {CONCURRENCY} at a time: ideal {IDEAL_MS:.0f} ms"
    )
    passes = [pass_round() for _ in range(rounds)]
    show("from the first request to the last answer / ideal", [asked / IDEAL_MS for asked, *_ in passes], "at most 1.5")
    show("bare threads / ideal", [bare / IDEAL_MS for _, _, bare, _ in passes])
    show(
        "the whole pass, from its lock to its end / zeep alone",
        [whole / zeep for _, whole, _, zeep in passes],
        "at most 1.5",
    )
    build(rounds)
    calls(rounds)
    tokens()


def show(what: str, numbers: list[float], limit: str = "") -> None:
    bound = f"; {limit}" if limit else ""
    print(f"  {what}: {min(numbers):.2f} {statistics.median(numbers):.2f} {max(numbers):.2f} (min median max{bound})")


# a pass


def pass_round() -> tuple[float, float, float, float]:
    """Milliseconds of the asking of one pass, of all of it, and right after of bare threads, and of zeep alone."""
    with place() as (folder, fake):
        fake.delay = DELAY_S
        first = len(fake.arrivals)
        report = json.loads(pollctl(folder, "run", "shell_query", "--json", second=60))
        assert report["stats"]["polls"] == QUERIES, report
        arrivals = fake.arrivals[first:]
        assert fake.asked[first:] == ["status"] * QUERIES, fake.asked[first:]
        asked = (max(arrivals) - min(arrivals) + DELAY_S) * 1000
        return asked, report["duration_ms"], bare_ms(fake), bare_zeep_ms(fake)


def bare_ms(fake: FakeMarketingCloud) -> float:
    """The same number of questions by bare threads, with envelopes that are ready."""
    address = fake.base_url.removeprefix("http://")
    body = envelope(
        '<RetrieveRequestMsg xmlns="http://exacttarget.com/wsdl/partnerAPI"><RetrieveRequest><ObjectType>AsyncActivityStatus'
        "</ObjectType><Filter><SimpleOperator>equals</SimpleOperator><Value>t</Value></Filter></RetrieveRequest>"
        "</RetrieveRequestMsg>"
    )
    fake.always["status"] = Reply(body=statuses([{"Status": "Processing"}]), delay=DELAY_S)

    def ask(_: int) -> None:
        connection = http.client.HTTPConnection(address)
        connection.request("POST", "/Service.asmx", body, {"SOAPAction": "Retrieve", "Content-Type": "text/xml"})
        assert b"Processing" in connection.getresponse().read()
        connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(CONCURRENCY) as executor:
        list(executor.map(ask, range(QUERIES)))
    return (time.perf_counter() - began) * 1000


def bare_zeep_ms(fake: FakeMarketingCloud) -> float:
    """The same number of questions by zeep alone, in a process of its own, from the import of zeep to the last answer."""
    arguments = (f"{fake.base_url}/Service.asmx", str(BUNDLED), str(CONCURRENCY), str(QUERIES))
    done = subprocess.run([sys.executable, "-c", BARE_ZEEP, *arguments], capture_output=True, text=True, check=True)
    return float(done.stdout)


@contextmanager
def place() -> Iterator[tuple[Path, FakeMarketingCloud]]:
    """A folder and an upstream with 10 running queries."""
    with tempfile.TemporaryDirectory() as name, FakeMarketingCloud() as fake:
        folder = Path(name)
        fake.script = [PROCESSING]
        section = fake.settings(window="0s", jitter=0)
        (folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{section}\n')
        pollctl(folder, "db", "migrate", second=0)
        with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
            db.executemany(
                "INSERT INTO shell_query_runs (id, sql_text, target_de_customer_key, customer_key, created_at) "
                "VALUES (?, 'SELECT 1', 'DE', ?, ?)",
                [(f"r{number}", f"pollctl_{number}", to_text(START)) for number in range(QUERIES)],
            )
        pollctl(folder, "run", "shell_query", second=0)
        yield folder, fake


def pollctl(folder: Path, *arguments: str, second: float) -> str:
    env = {**os.environ, "POLLCTL_NOW": to_text(START + timedelta(seconds=second))}
    done = subprocess.run(
        [sys.executable, "-m", "pollctl", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


# the SOAP client


def build(rounds: int) -> None:
    for name, path in (("bundled", []), ("real", [str(REAL)] if REAL.exists() else None)):
        if path is None:
            print(f"  the {name} WSDL is not here")
            continue
        found = [measured([sys.executable, "-c", BUILD, *path]) for _ in range(rounds)]
        imported, cold, warm, parsed = zip(*found, strict=True)
        print(f"building the SOAP client, {name} WSDL, in ms")
        show("for the first time in a process, zeep imported", list(cold), "at most 60")
        show("again", list(warm))
        show("parsing the file alone", list(parsed))
        show("importing zeep", list(imported))
    with place() as (folder, fake):
        fake.always["rowset"] = Reply(status=404)
        with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
            db.execute("UPDATE shell_query_polls SET rowset_attempts = 1")
        script = (
            "import sys; from pollctl.cli import start; code = start(['run', 'shell_query']); "
            "print(code, sorted({'zeep', 'lxml', 'requests'} & set(sys.modules)))"
        )
        env = {**os.environ, "POLLCTL_NOW": to_text(START + timedelta(seconds=60))}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=True
        )
        print(f"a pass that asks only for rows: exit code and what it imported: {done.stdout.splitlines()[-1]}")


def measured(arguments: list[str]) -> list[float]:
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return [float(number) for number in done.stdout.split()]


# one call


def calls(rounds: int) -> None:
    """Processor time of one SOAP call, in turn with zeep alone, which has no total limit."""
    with place() as (_, fake):
        fake.always["status"] = Reply(body=statuses([{"Status": "Processing"}]))
        alone = BARE_ZEEP.partition("with ThreadPoolExecutor")[0]
        arguments = (f"{fake.base_url}/Service.asmx", str(BUNDLED), "1", str(CALLS))
        found = [
            [measured([sys.executable, "-c", source + ASKED_IN_TURN, *arguments])[0] for source in (OURS, alone)]
            for _ in range(rounds)
        ]
    print("one SOAP call, in processor time")
    show("in µs", [ours for ours, _ in found])
    show("/ zeep alone", [ours / zeep for ours, zeep in found])


# tokens


def tokens() -> None:
    """Passes once a minute for three lives of a token."""
    with place() as (folder, fake):
        passes = 3 * LIFE_S // 60
        for number in range(1, passes):
            pollctl(folder, "run", "shell_query", second=60 * number)
            with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
                db.execute(
                    "UPDATE shell_query_runs SET poll_started_at = ?", [to_text(START + timedelta(seconds=60 * number))]
                )
        lives = ceil(60 * (passes - 1) / (LIFE_S - 300))
        print(f"tokens: {fake.count('token')} for {passes} passes in {lives} lives of {LIFE_S - 300} s each")


if __name__ == "__main__":
    main()
