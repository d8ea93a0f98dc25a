"""Workers elsewhere, as real processes: what they make, and what becomes of it when they die (scale 1 to 5)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import trustme
from dask_cluster import Cluster, kill
from hostile_server import HostileServer, serving, whole

from pollctl.api.values import Answer, Request
from pollctl.concurrency.cancellation import Stop
from pollctl.concurrency.threads import start_daemon
from pollctl.config.schema import Fanout
from pollctl.errors import FanoutError
from pollctl.fanout.engine import Engine
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.redaction import Secret

pytest.importorskip("distributed")

CANARY = "canary-7c2e41-token"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path) as cluster:
        yield cluster


def slow(seconds: float = 0.05) -> HostileServer:
    def answer(_: bytes) -> bytes:
        time.sleep(seconds)
        return whole(b"hello")

    return HostileServer(serving(answer))


def client_of(cluster: Cluster, stop: Stop | None = None, **settings: Any) -> Client:
    stop, limits = stop or Stop(time.monotonic() + 60), Limits(timeout=10)
    fanout = Fanout(**({"engine": "dask", "address": cluster.address} | settings))
    return Client(limits, stop=stop, away=Engine(fanout, limits, stop))


def requests(server: HostileServer, count: int, **more: Any) -> Iterator[Request[int]]:
    return (Request(url=f"{server.url}{number}", tag=number, **more) for number in range(count))


def asked(server: HostileServer) -> Counter[bytes]:
    return Counter(head.partition(b"\r\n")[0] for head in server.requests)


def test_all_that_may_go_is_asked_by_workers_and_answered_here(cluster: Cluster) -> None:
    cluster.worker({"POLLCTL_NOW": "@2031-01-01T00:00:00Z"})
    cluster.worker()
    with slow() as server, closing(client_of(cluster, chunk=50, fallback="fail")) as client:
        began_at = datetime.now(UTC).replace(microsecond=0)
        answers = list(client.get_many(requests(server, 300), concurrency=40))
        assert sorted(answer.request.tag for answer in answers) == list(range(300))
        assert {answer.body for answer in answers} == {b"hello"}
        assert max(asked(server).values()) == 1
        ended_at = datetime.now(UTC)
        assert all(
            began_at <= answer.started_at <= ended_at for answer in answers
        )  # whatever the clocks of workers show
        assert all(50 <= answer.elapsed_ms < 1000 for answer in answers)


# killed, gone, unfit


@pytest.mark.slow
def test_a_worker_killed_in_mid_chunk_costs_one_chunk_asked_again_and_no_answer(cluster: Cluster) -> None:
    victim, _ = cluster.worker(), cluster.worker()
    with slow() as server, closing(client_of(cluster, fallback="fail")) as client:
        mixed = (
            Request(url=f"{server.url}{number}", tag=number, method="GET" if number % 20 else "POST")
            for number in range(2000)
        )
        answers = []
        for answer in client.get_many(mixed, concurrency=100):
            answers.append(answer)
            if len(answers) == 400:
                kill(victim)
        assert sorted(answer.request.tag for answer in answers) == list(range(2000))
        assert all(answer.is_ok for answer in answers)
        twice = [line for line, count in asked(server).items() if count > 1]
        assert 0 < len(twice) <= 250
        assert max(asked(server).values()) == 2
        assert not [line for line in twice if line.startswith(b"POST")]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["worker", "scheduler"])
def test_when_nobody_is_left_the_rest_is_asked_from_here_and_a_line_says_so(
    cluster: Cluster, who: str, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = cluster.worker()
    with slow() as server, closing(client_of(cluster)) as client:
        answers = []
        for answer in client.get_many(requests(server, 1000), concurrency=100):
            answers.append(answer)
            if len(answers) == 300:
                kill(worker if who == "worker" else cluster.scheduler)
        assert sorted(answer.request.tag for answer in answers) == list(range(1000))
        assert all(answer.is_ok for answer in answers)
    assert "asking from here instead" in capsys.readouterr().err


@pytest.mark.slow
def test_where_nobody_else_may_ask_it_is_an_error_that_names_the_fan_out(cluster: Cluster) -> None:
    worker = cluster.worker()
    answers: list[Answer] = []
    with slow() as server, closing(client_of(cluster, fallback="fail")) as client:
        with pytest.raises(FanoutError, match=r"\[pollctl.fanout\].*no worker is left"):
            for answer in client.get_many(requests(server, 1000), concurrency=100):
                answers.append(answer)
                if len(answers) == 300:
                    kill(worker)
        assert isinstance(client.fanout_error, FanoutError)
        with pytest.raises(FanoutError):
            list(client.get_many(requests(server, 1), concurrency=1))
    assert all(answer.is_ok for answer in answers)


@pytest.mark.slow
def test_who_has_all_that_it_wanted_is_not_told_of_workers_that_die_later(cluster: Cluster) -> None:
    worker = cluster.worker()
    with slow(0.2) as server, closing(client_of(cluster, fallback="fail")) as client:
        answers = client.get_many(requests(server, 600), concurrency=10)
        assert next(answers).is_ok
        kill(worker)
        del answers
        time.sleep(2)
        assert client.fanout_error is None
        with pytest.raises(FanoutError):
            list(client.get_many(requests(server, 1), concurrency=1))


@pytest.mark.slow
def test_workers_that_differ_are_left_out_and_named(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "without" / "pollctl").mkdir(parents=True)
    (tmp_path / "without" / "pollctl" / "__init__.py").write_text("raise ImportError('no pollctl here')\n")
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "sitecustomize.py").write_text("import pollctl\npollctl.__version__ = '0.0.1'\n")
    cluster.worker({"PYTHONPATH": str(tmp_path / "without")})
    cluster.worker({"PYTHONPATH": str(tmp_path / "older")})
    cluster.worker()
    began = time.monotonic()
    with slow() as server, closing(client_of(cluster, fallback="fail")) as client:
        answers = list(client.get_many(requests(server, 500), concurrency=100))
        assert len(answers) == 500
        assert time.monotonic() - began < 10
    said = capsys.readouterr().err
    assert said.count("is left out") == 2
    assert "no pollctl here" in said
    assert "pollctl 0.0.1 there" in said


@pytest.mark.slow
def test_a_scheduler_that_differs_is_of_no_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sitecustomize.py").write_text("import pollctl\npollctl.__version__ = '0.0.1'\n")
    with Cluster(tmp_path, environ={"PYTHONPATH": str(tmp_path)}) as cluster, slow(0) as server:
        cluster.worker()
        with closing(client_of(cluster)) as client:
            assert len(list(client.get_many(requests(server, 20), concurrency=8))) == 20
    said = capsys.readouterr().err
    assert "its scheduler differs: pollctl 0.0.1 there" in said
    assert "asking from here instead" in said


@pytest.mark.slow
def test_a_request_that_cannot_travel_fares_as_it_does_without_workers_and_harms_none(cluster: Cluster) -> None:
    cluster.worker()
    changes: Any = [
        {"headers": {"X-Number": 1}},
        {"timeout": Fraction(5)},
        {"family": 5},
        {"url": "http://127.0.0.1/\udc80"},
        {"tag": object()},
    ]
    stop = Stop(time.monotonic() + 60)
    with (
        slow(0) as server,
        closing(client_of(cluster, fallback="fail")) as client,
        closing(Client(Limits(timeout=10), stop=stop)) as alone,
    ):
        odd = [Request(**({"url": server.url} | change)) for change in changes]
        assert [outcome(client, request) for request in odd] == [outcome(alone, request) for request in odd]
        assert len(list(client.get_many(requests(server, 50), concurrency=4))) == 50
        assert client.fanout_error is None


def outcome(client: Client, request: Request) -> str:
    """What a request comes to: a status, the kind of an error, or what is raised."""
    try:
        (answer,) = client.get_many([request], concurrency=1)
    except Exception as error:
        return type(error).__name__
    return answer.error.kind if answer.error else str(answer.status)


@pytest.mark.slow
def test_a_worker_that_hangs_is_lost_too(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    hanging, _ = cluster.worker(), cluster.worker()
    with slow() as server, closing(client_of(cluster, fallback="fail")) as client:
        answers = []
        for answer in client.get_many(requests(server, 1000), concurrency=100):
            answers.append(answer)
            if len(answers) == 300:
                hanging.send_signal(signal.SIGSTOP)
        assert sorted(answer.request.tag for answer in answers) == list(range(1000))
    assert "is left out" in capsys.readouterr().err


@pytest.mark.slow
def test_a_worker_at_the_end_of_a_slow_line_is_not_lost_however_large_an_answer_is(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.worker()
    large = os.urandom(6_000_000)
    with (
        HostileServer(serving(lambda _: whole(large))) as server,
        slow_line(cluster.address, bytes_per_s=500_000) as address,
        closing(client_of(cluster, address=address, fallback="fail")) as client,
    ):
        (answer,) = client.get_many(requests(server, 1), concurrency=1)
        assert answer.body == large
        assert len(server.requests) == 1
    assert capsys.readouterr().err == ""


@contextmanager
def slow_line(address: str, *, bytes_per_s: int) -> Iterator[str]:
    """A way to a scheduler, slow on the way back."""
    host, port = address.removeprefix("tcp://").split(":")

    def carry(source: socket.socket, target: socket.socket, seconds_per_byte: float) -> None:
        with suppress(OSError), source, target:
            while content := source.recv(65536):
                target.sendall(content)
                time.sleep(len(content) * seconds_per_byte)

    def serve(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, there = listening.accept()[0], socket.create_connection((host, int(port)))
                start_daemon(carry, here, there, 0, name="there")
                start_daemon(carry, there, here, 1 / bytes_per_s, name="back")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        start_daemon(serve, listening, name="slow-line")
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)  # wakes who waits for the next


def test_without_a_scheduler_all_is_asked_from_here_within_three_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    stop = Stop(time.monotonic() + 60)
    settings = Fanout(engine="dask", address="tcp://127.0.0.1:1")
    with slow(0) as server, closing(Client(Limits(), stop=stop, away=Engine(settings, Limits(), stop))) as client:
        began = time.monotonic()
        assert len(list(client.get_many(requests(server, 20), concurrency=8))) == 20
        assert time.monotonic() - began < 4
    said = capsys.readouterr().err
    assert "tcp://127.0.0.1:1: cannot be reached" in said
    assert "asking from here instead" in said
    assert said.count("\n") == 1


def test_a_resolver_that_hangs_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    is_over, look_up = threading.Event(), socket.getaddrinfo

    def hangs(host: Any, *rest: Any, **more: Any) -> Any:
        if host in ("scheduler.localhost", b"scheduler.localhost"):
            is_over.wait(20)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    stop = Stop(time.monotonic() + 60)
    settings = Fanout(engine="dask", address="tcp://scheduler.localhost:1")
    with slow(0) as server, closing(Client(Limits(), stop=stop, away=Engine(settings, Limits(), stop))) as client:
        began = time.monotonic()
        assert len(list(client.get_many(requests(server, 20), concurrency=8))) == 20
        assert time.monotonic() - began < 4
    is_over.set()
    assert "cannot be reached: TimeoutError: no answer in time" in capsys.readouterr().err


def test_a_scheduler_is_found_by_whichever_address_of_its_name_answers(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def of_many(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in ("scheduler.localhost", b"scheduler.localhost"):
            return look_up(host, *rest, **more)
        return [*look_up("127.0.0.99", *rest, **more), *look_up("127.0.0.1", *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", of_many)
    cluster.worker()
    address = cluster.address.replace("127.0.0.1", "scheduler.localhost")
    with slow(0) as server, closing(client_of(cluster, address=address, fallback="fail")) as client:
        assert len(list(client.get_many(requests(server, 20), concurrency=8))) == 20


# the end of a pass


@pytest.mark.slow
@pytest.mark.parametrize("is_patient", [False, True])
def test_a_signal_calls_off_what_is_under_way(cluster: Cluster, *, is_patient: bool) -> None:
    cluster.worker()
    stop = Stop(time.monotonic() + 60)
    with slow(0.3) as server, closing(client_of(cluster, stop)) as client:
        answers = []
        for answer in client.get_many(requests(server, 500, is_patient=is_patient), concurrency=20):
            answers.append(answer)
            if len(answers) == 30:
                stop.request()
                requested_at = time.monotonic()
        assert time.monotonic() - requested_at < 1.5
        assert {answer.error.kind for answer in answers if answer.error} == {"stopped"}
        time.sleep(0.5)
        under_way = len(server.requests)
        assert under_way <= 100  # of 500
        time.sleep(1)
        assert len(server.requests) == under_way
        assert max(asked(server).values()) == 1


@pytest.mark.slow
def test_the_deadline_of_the_pass_is_the_callers(cluster: Cluster) -> None:
    cluster.worker()
    stop = Stop(time.monotonic() + 2)
    with slow(0.3) as server, closing(client_of(cluster, stop)) as client:
        answers = list(client.get_many(requests(server, 500), concurrency=20))
        assert time.monotonic() - stop.deadline < 0.5
        assert {answer.error.kind for answer in answers if answer.error} == {"deadline"}
        time.sleep(0.5)
        under_way = len(server.requests)
        time.sleep(1)
        assert len(server.requests) == under_way


ASKING = """
import sys, time
from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.config.schema import Fanout
from pollctl.fanout.engine import Engine
from pollctl.http.client import Client
from pollctl.http.limits import Limits

stop, limits = Stop(time.monotonic() + 60), Limits()
engine = Engine(Fanout(engine="dask", address=sys.argv[1]), limits, stop)
requests = (Request(url=sys.argv[2]) for _ in range(1000))
for answer in Client(limits, stop=stop, away=engine).get_many(requests, concurrency=20):
    print(answer.status, flush=True)
"""


@pytest.mark.slow
def test_a_pass_that_is_killed_outright_takes_with_it_what_workers_have_in_hand(cluster: Cluster) -> None:
    cluster.worker()
    with slow(0.3) as server:
        command = [sys.executable, "-c", ASKING, cluster.address, server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as asking:
            assert asking.stdout
            assert asking.stdout.readline() == b"200\n"
            asking.kill()
        time.sleep(1.5)
        under_way = len(server.requests)
        time.sleep(1)
        assert len(server.requests) == under_way < 250


@pytest.mark.slow
def test_two_get_many_side_by_side_keep_to_the_concurrency_of_each(cluster: Cluster) -> None:
    cluster.worker()
    most = Counter[bytes]()
    at_once = Counter[bytes]()

    def answer(head: bytes) -> bytes:
        host = head.split(b"/")[1][:4]
        at_once[host] += 1
        most[host] = max(most[host], at_once[host])
        time.sleep(0.05)
        at_once[host] -= 1
        return whole(b"hello")

    def ask(client: Client, path: str, concurrency: int) -> None:
        some = (Request(url=f"{server.url}{path}") for _ in range(200))
        assert len(list(client.get_many(some, concurrency=concurrency))) == 200

    with HostileServer(serving(answer)) as server, closing(client_of(cluster, fallback="fail")) as client:
        with ThreadPoolExecutor(2) as both:
            for done in [both.submit(ask, client, "few?", 3), both.submit(ask, client, "many", 40)]:
                done.result()
    assert most[b"few?"] <= 3
    assert 3 < most[b"many"] <= 40


# secrets


@pytest.mark.slow
def test_no_header_is_seen_in_logs_tasks_and_events(cluster: Cluster) -> None:
    worker = cluster.worker()
    settings = Fanout(engine="dask", address=cluster.address)
    stop = Stop(time.monotonic() + 60)
    headers = {"Authorization": f"Bearer {CANARY}"}
    seen = []
    with slow() as server, closing(Client(Limits(), stop=stop, away=Engine(settings, Limits(), stop))) as client:
        answers = []
        for answer in client.get_many(requests(server, 600, headers=headers), concurrency=50):
            answers.append(answer)
            if len(answers) == 100:
                seen.append(state_of(cluster))
            if len(answers) == 300:
                kill(worker)
        assert len(answers) == 600
        assert any(CANARY.encode() in head for head in server.requests)
        seen.append(state_of(cluster))
    assert "pollctl-asker" in seen[0]
    assert CANARY not in "".join(seen) + cluster.logs()


def state_of(cluster: Cluster) -> str:
    """All that a scheduler could show: tasks, their parts, its events and transitions."""
    from distributed import Client as Looking

    def looked_at(dask_scheduler: Any) -> str:
        tasks = [
            (repr(task), repr(task.run_spec), vars(task) if hasattr(task, "__dict__") else "")
            for task in dask_scheduler.tasks.values()
        ]
        return repr([tasks, dask_scheduler.get_events(), list(dask_scheduler.transition_log)])

    with Looking(cluster.address, set_as_default=False) as looking:
        return str(looking.run_on_scheduler(looked_at)) + str(looking.get_worker_logs())


@pytest.mark.slow
def test_a_certificate_of_another_authority_reaches_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, rogue = trustme.CA(), trustme.CA()
    files = [written(tmp_path, name, ca) for name, ca in (("ours", ours), ("rogue", rogue))]
    options = ["--protocol", "tls", "--tls-ca-file", *files[0][:1], "--tls-cert", files[0][1], "--tls-key", files[0][2]]
    with Cluster(tmp_path, options) as cluster, slow() as server:
        cluster.worker()
        for number, (_, cert, key) in enumerate(files):
            tls: Any = {"ca_file": Path(files[0][0]), "cert": Path(cert), "key": Secret(Path(key).read_text())}
            tls["address"] = cluster.address.replace("127.0.0.1", "localhost")  # the name does not matter to Dask
            with closing(client_of(cluster, **tls)) as client:
                assert len(list(client.get_many(requests(server, 20), concurrency=8))) == 20
            said = capsys.readouterr().err
            assert ("cannot be reached" in said) is bool(number), said
            assert "PRIVATE KEY" not in said
        with closing(client_of(cluster, ca_file=Path(files[1][0]), cert=Path(files[1][1]), key=tls["key"])) as client:
            assert len(list(client.get_many(requests(server, 20), concurrency=8))) == 20
        assert "cannot be reached" in capsys.readouterr().err


def written(folder: Path, name: str, ca: trustme.CA) -> tuple[str, str, str]:
    """An authority, a certificate of it, and its key, as files."""
    issued = ca.issue_cert("127.0.0.1")
    paths = [folder / f"{name}-{part}.pem" for part in ("ca", "cert", "key")]
    ca.cert_pem.write_to_path(paths[0])
    issued.cert_chain_pems[0].write_to_path(paths[1])
    issued.private_key_pem.write_to_path(paths[2])
    return str(paths[0]), str(paths[1]), str(paths[2])
