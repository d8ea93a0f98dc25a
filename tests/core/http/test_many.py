"""Many requests at once: rates, limits, the deadline, signals (core §4)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest
from core.http.exchanges import error_kind, header
from hostile_server import HostileServer, Peer, serving, wait_until, whole

from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits


def silent(peer: Peer) -> None:
    peer.request()
    peer.hang()


def many(server: HostileServer, count: int, **settings: Any) -> list[Request]:
    return [Request(url=f"{server.url}{number}", tag=number, **settings) for number in range(count)]


def test_many_are_answered_one_bad_target_among_them() -> None:
    def play(peer: Peer) -> None:
        while request := peer.request():
            if b"GET /7 " in request:
                return
            peer.send(whole(request.split()[1]))

    with HostileServer(play) as server, closing(Client(Limits(), stop=Stop())) as client:
        answers = {answer.request.tag: answer for answer in client.get_many(many(server, 50), concurrency=8)}
        assert server.connections <= 8 + 4  # two that /7 broke, and their successors
    assert sorted(answers) == list(range(50))
    assert [tag for tag, answer in answers.items() if answer.error] == [7]
    assert all(answer.body == f"/{tag}".encode() for tag, answer in answers.items() if tag != 7)


def test_there_are_never_more_connections_than_the_concurrency() -> None:
    busy = most = 0
    lock = threading.Lock()

    def play(peer: Peer) -> None:
        nonlocal busy, most
        while peer.request():
            with lock:
                busy += 1
                most = max(most, busy)
            time.sleep(0.01)
            with lock:
                busy -= 1
            peer.send(whole(b"x"))

    with HostileServer(play) as server, closing(Client(Limits(), stop=Stop())) as client:
        assert len(list(client.get_many(many(server, 60), concurrency=5))) == 60
        assert (most, server.connections) == (5, 5)


def test_past_the_deadline_nothing_starts_and_what_is_in_flight_is_cut() -> None:
    with HostileServer(silent) as server:
        stop = Stop(time.monotonic() + 0.4)
        taken: list[Request] = []
        requests = (taken.append(request) or request for request in many(server, 1000, method="POST"))  # type: ignore[func-returns-value]
        began = time.monotonic()
        answers = list(Client(Limits(), stop=stop).get_many(requests, concurrency=4))
        assert 0.35 <= time.monotonic() - began <= 0.9
        assert {error_kind(answer) for answer in answers} == {"deadline"}
        assert len(answers) == len(taken) <= 8
        assert len(server.requests) == 4
        assert wait_until(lambda: server.closed == 4)
        assert error_kind(Client(Limits(), stop=stop).send(Request(url=server.url))) == "deadline"
        assert len(server.requests) == 4


def test_a_signal_cuts_gets_at_once_and_lets_a_post_finish() -> None:
    def play(peer: Peer) -> None:
        peer.request()
        time.sleep(0.6)
        peer.send(whole(b"done"))

    stop = Stop()
    with HostileServer(play) as server:
        requests = [Request(url=server.url), Request(url=server.url, method="POST")]
        threading.Timer(0.2, stop.request).start()
        began = time.monotonic()
        with closing(Client(Limits(), stop=stop)) as client:
            ends = {
                answer.request.method: (answer.error.kind if answer.error else answer.body, time.monotonic() - began)
                for answer in client.get_many(requests, concurrency=2)
            }
    assert ends["GET"][0] == "stopped"
    assert ends["GET"][1] < 0.4
    assert ends["POST"][0] == b"done"


def test_a_patient_get_is_not_cut_by_a_signal() -> None:
    def play(peer: Peer) -> None:
        peer.request()
        time.sleep(0.4)
        peer.send(whole(b"done"))

    stop = Stop()
    with HostileServer(play) as server, closing(Client(Limits(), stop=stop)) as client:
        threading.Timer(0.1, stop.request).start()
        assert client.send(Request(url=server.url, is_patient=True)).body == b"done"


def test_a_real_signal_ends_a_wait_for_answers_promptly(engine: str) -> None:
    script = """
import signal, sys
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
stop = Stop()
signal.signal(signal.SIGTERM, lambda *_: stop.request())
print("ready", flush=True)
print([a.error.kind for a in Client(Limits(engine=sys.argv[2]), stop=stop).get_many([Request(url=sys.argv[1])] * 3, concurrency=2)])
"""
    with HostileServer(lambda peer: peer.hang()) as server:
        child = subprocess.Popen([sys.executable, "-c", script, server.url, engine], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        assert wait_until(lambda: server.connections == 2)
        began = time.monotonic()
        os.kill(child.pid, signal.SIGTERM)
        taken = {"python": 3, "curl": 2}[engine]  # the former takes some ahead, so that its threads need not wait
        assert child.communicate(timeout=5)[0] == f"{['stopped'] * taken}\n"
        assert time.monotonic() - began < 0.5


def test_an_iterator_that_is_left_early_cuts_what_is_in_flight() -> None:
    def play(peer: Peer) -> None:
        peer.request()
        peer.send(whole(b"x")) if peer.number == 0 else peer.hang()

    with HostileServer(play) as server:
        client = Client(Limits(), stop=Stop())
        for answer in client.get_many(many(server, 100), concurrency=4):
            assert answer.body == b"x"
            assert wait_until(lambda: server.connections >= 4)
            break
        client.close()
        assert wait_until(lambda: server.closed == server.connections)


def test_starts_are_evenly_spaced_per_host_also_from_one_call_to_the_next() -> None:
    starts: dict[str, list[float]] = {}

    def answer(request: bytes) -> bytes:
        starts.setdefault(str(header(request, "host")), []).append(time.monotonic())
        return whole(b"x")

    with HostileServer(serving(answer)) as one, HostileServer(serving(answer)) as two:
        client = Client(Limits(), stop=Stop())
        for _ in range(2):
            mixed = [request for pair in zip(many(one, 4), many(two, 4), strict=True) for request in pair]
            assert len(list(client.get_many(mixed, concurrency=8, rate="20/s"))) == 8
        client.close()
    assert len(starts) == 2
    for times in starts.values():
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert len(gaps) == 7
        assert min(gaps) >= 0.03
        assert 0.05 * 7 - 0.03 <= sum(gaps) <= 0.05 * 7 + 0.2


@pytest.mark.parametrize("rate", ["fast", "0/s", "1/d", "-1/s", "1"])
def test_a_rate_that_is_none_is_an_error_of_the_caller(rate: str) -> None:
    with pytest.raises(ValueError, match="is not a valid rate; write"):
        Client(Limits(), stop=Stop()).get_many([], concurrency=1, rate=rate)


def test_requests_are_taken_in_the_thread_of_the_caller_and_only_as_room_comes_free() -> None:
    threads: set[str] = set()
    taken = 0

    def requests(url: str) -> Iterator[Request]:
        nonlocal taken
        while True:
            threads.add(threading.current_thread().name)
            taken += 1
            yield Request(url=url)

    with HostileServer(serving(lambda _: whole(b"x"))) as server, closing(Client(Limits(), stop=Stop())) as client:
        answers = client.get_many(requests(server.url), concurrency=4)
        for _ in range(10):
            next(answers)
        del answers
        assert threads == {threading.current_thread().name}
        assert taken <= 10 + 2 * 4


def test_a_generator_of_requests_that_raises_is_heard() -> None:
    def requests() -> Iterator[Request]:
        yield Request(url="http://127.0.0.1:9/")
        raise KeyError("base_url")

    with pytest.raises(KeyError, match="base_url"):
        list(Client(Limits(), stop=Stop()).get_many(requests(), concurrency=2))


def test_one_client_serves_several_threads() -> None:
    with HostileServer(serving(lambda request: whole(request.split()[1]))) as server:
        with closing(Client(Limits(), stop=Stop())) as client:
            bodies: list[bytes] = []

            def work(number: int) -> None:
                for turn in range(20):
                    answer = client.send(Request(url=f"{server.url}{number}-{turn}"))
                    bodies.append(answer.body) if answer.body == f"/{number}-{turn}".encode() else None

            threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(bodies) == 160
        assert server.connections <= 16
