"""Every hostile answer against the real client, time and memory of each measured in a process of its own.

The process has a proxy and a ``.netrc`` in its environment, which must count for nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec

import hostile_answers
import pytest
from hostile_answers import CAP, LIMIT_S, Hostile
from hostile_server import TLS, HostileServer, black_hole
from msgspec import Struct
from plugin_package import clean_environment

pytestmark = pytest.mark.slow

CHILD = """
import json, sys, time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.http.retry_after import retry_after
from pollctl.untrusted_json import strict_json
from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

def outcome(answer, reads):
    if answer.error:
        return answer.error.kind, answer.error.message
    if reads == "json":
        try:
            return "read", repr(strict_json(answer.body, list[str]))
        except ValueError as error:
            try:
                return "read", repr(strict_json(answer.body, dict[str, int | float]))
            except ValueError:
                return "refused", str(error)
    if reads == "retry":
        pause = retry_after(answer, datetime.now(UTC))
        return f"{pause.total_seconds():g}" if pause is not None else "None", ""
    return "ok", ""

def ask(url, limit_s, reads):
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # VmHWM begins anew
    before, began = peak(), time.monotonic()
    limits = Limits(timeout=limit_s, max_body=int(sys.argv[1]), ca_file=Path(sys.argv[2]), engine=sys.argv[3])
    with closing(Client(limits, stop=Stop())) as client:
        (answer,) = client.get_many([Request(url=url)], concurrency=1)
        kind, message = outcome(answer, reads)
    return kind, message, time.monotonic() - began, peak() - before

for line in sys.stdin:
    name, *job = json.loads(line)
    if name != "warm up":
        print(json.dumps([name, *ask(*job)]), flush=True)
    else:
        ask(*job)
"""


class Measured(Struct, frozen=True):
    """What became of one answer."""

    kind: str
    message: str
    seconds: float
    megabytes: float


ANSWERS = {
    **hostile_answers.every(),
    "slow: a connect into a black hole": Hostile(lambda peer: None, ("timeout",), limit_s=LIMIT_S),
}

SAID_BY_LIBCURL = {
    "slow: status line a byte at a time": "protocol",
    "slow: endless 100 Continue": "protocol",
    "large: chunk of minus one byte": "protocol",
}
"""What libcurl notices sooner, or as something else (docs/decisions/0015-libcurl.md)."""


@pytest.fixture(scope="module", params=["python", "curl"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "curl" and not find_spec("pycurl"):
        pytest.skip("the extra pollctl[curl] is not installed")
    return str(request.param)


@pytest.fixture(scope="module")
def told(engine: str) -> list[bytes]:
    """All requests that any server got."""
    return []


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, told: list[bytes], engine: str) -> dict[str, Measured]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / ".netrc").write_text("machine 127.0.0.1 login anna password canary-netrc\n")
    (folder / ".netrc").chmod(0o600)
    proxies = {f"{name}_proxy": "http://127.0.0.1:1" for name in ("http", "https", "all")}
    env = clean_environment(folder) | proxies | {"NETRC": str(folder / ".netrc")}
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(HostileServer(answer.play, answer.certificate))
            for name, answer in ANSWERS.items()
        }
        urls = {name: server.url for name, server in servers.items()}
        urls["slow: a connect into a black hole"] = stack.enter_context(black_hole())
        plain = urls["proper: gzip"]
        jobs = [["warm up", plain, 5, ""]]
        jobs += [[name, urls[name], answer.limit_s, answer.reads] for name, answer in ANSWERS.items()]
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(CAP), str(TLS / "ca.pem"), engine],
            input="".join(f"{json.dumps(job)}\n" for job in jobs),
            env=env, cwd=folder, capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        told += [request for server in servers.values() for request in server.requests]
    return {name: Measured(*rest) for name, *rest in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_ends_as_it_must_in_time_and_within_its_memory(
    measured: dict[str, Measured], name: str, engine: str
) -> None:
    answer, one = ANSWERS[name], measured[name]
    expected = (SAID_BY_LIBCURL[name],) if engine == "curl" and name in SAID_BY_LIBCURL else answer.expected
    assert one.kind in expected, one
    assert one.seconds <= answer.limit_s + 0.5, one
    assert one.megabytes <= 2 * CAP / 1024**2 + 1, one
    assert one.message.isprintable()
    assert len(one.message) < 500


def test_neither_netrc_nor_proxies_nor_redirects_gave_a_credential_away(
    measured: dict[str, Measured], told: list[bytes]
) -> None:
    assert len(told) > len(measured) / 2
    assert [request for request in told if b"canary" in request or b"authorization:" in request.lower()] == []


def test_the_table_of_what_was_measured(measured: dict[str, Measured], engine: str) -> None:
    assert len(measured) >= 60
    for name, one in measured.items():
        print(
            f"figure: hostile answer, {engine} | {name} | {one.kind} | {one.seconds:.2f} s | {max(0.0, one.megabytes):.1f} MB"
        )
    slowest = max(
        one.seconds - ANSWERS[name].limit_s for name, one in measured.items() if ANSWERS[name].limit_s == LIMIT_S
    )
    largest = max(one.megabytes for one in measured.values())
    print(
        f"figure: hostile answers, {engine}: {len(measured)}, at most {slowest:.2f} s beyond the limit,"
        f" at most {largest:.1f} MB with a cap of {CAP // 1024**2} MB"
    )
