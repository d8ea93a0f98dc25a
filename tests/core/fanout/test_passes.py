"""What a pass says of its fan-out, and what it imports for it (scale 2 and 4)."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from core.parrot import Parrot
from hostile_server import HostileServer, serving, whole
from sample_plugin import parrot_source

NOBODY = '[pollctl.fanout]\nengine = "dask"\naddress = "tcp://127.0.0.1:1"\n'
ASKING = """(run):
    from pollctl import Request
    for answer in run.get_many([Request(url=url, tag=url) for url in run.settings.plan]):
        yield Batch(answer.text)
"""


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer(serving(lambda _: whole(b"hello"))) as server:
        yield server


def test_where_nobody_is_there_a_pass_asks_from_here_is_ok_and_says_so(parrot: Parrot, server: HostileServer) -> None:
    pytest.importorskip("distributed")
    parrot.teach(parrot_source(fetch=ASKING), f'plan = ["{server.url}"]', NOBODY)
    done = parrot.call("run", "parrot")
    assert done.returncode == 0
    assert "[pollctl.fanout]: tcp://127.0.0.1:1: cannot be reached" in done.stderr
    assert "asking from here instead" in done.stderr
    assert parrot.said == ["hello"]


@pytest.mark.parametrize("swallows", [False, True])
def test_where_nobody_else_may_ask_the_pass_fails_by_the_fan_out_even_if_the_plugin_swallows_it(
    parrot: Parrot, server: HostileServer, *, swallows: bool
) -> None:
    pytest.importorskip("distributed")
    lines = "".join(f"    {line}\n" for line in ASKING.partition("\n")[2].splitlines())
    swallowing = f"(run):\n    try:\n{lines}    except Exception:\n        yield Batch('swallowed')\n"
    source = parrot_source(fetch=swallowing if swallows else ASKING)
    parrot.teach(source, f'plan = ["{server.url}"]', f'{NOBODY}fallback = "fail"\n')
    report = parrot.report(code=1)
    assert report["outcome"] == "failed"
    assert report["error"]["type"] == "FanoutError"
    assert report["error"]["message"].startswith("[pollctl.fanout]: tcp://127.0.0.1:1: cannot be reached")
    assert "parrot" not in report["error"]["message"]
    assert server.requests == []


@pytest.mark.slow
@pytest.mark.parametrize("fallback", ["local", "fail"])
def test_a_signal_before_the_scheduler_is_found_silent_costs_no_answer_and_blames_nobody(
    parrot: Parrot, fallback: str
) -> None:
    pytest.importorskip("distributed")
    both = "[Request(url=url + tag, method=tag, tag=tag) for url in run.settings.plan for tag in ('POST', 'GET')]"
    asking = f"""(run):
    from pollctl import Request
    answers = list(run.get_many({both}))
    yield Batch(','.join(f'{{answer.request.tag}}:{{answer.status}}' for answer in answers))
"""

    def answer(_: bytes) -> bytes:
        time.sleep(4.5)
        return whole(b"hello")

    with socket.create_server(("127.0.0.1", 0)) as silent, HostileServer(serving(answer)) as upstream:
        core = f'[pollctl.fanout]\nengine = "dask"\naddress = "tcp://127.0.0.1:{silent.getsockname()[1]}"\n'
        parrot.teach(parrot_source(fetch=asking), f'plan = ["{upstream.url}"]', f'{core}fallback = "{fallback}"\n')
        child = parrot.start_pass()
        try:
            while not upstream.requests:
                assert child.poll() is None
                time.sleep(0.05)
            child.send_signal(signal.SIGTERM)
            report, said = child.communicate(timeout=30)
        finally:
            child.kill()
    assert child.returncode == 143, (report, said)
    (learned,) = parrot.rows("SELECT payload FROM outbox")
    assert "GET:0,POST:200" in learned
    assert "asking from here" not in said
    assert [head[:4] for head in upstream.requests] == [b"POST"]


def test_nothing_of_it_is_imported_where_it_is_not_set(parrot: Parrot, server: HostileServer) -> None:
    heavy = ("asyncio", "dask", "distributed", "tornado", "pollctl.fanout.engine", "pollctl.fanout.asker")
    telling = (
        f"{ASKING}    import sys\n    yield Batch(','.join(sorted(set({heavy}) & set(sys.modules))) or 'nothing')\n"
    )
    parrot.teach(parrot_source(fetch=telling), f'plan = ["{server.url}"]')
    child = parrot.start_pass()
    child.communicate()
    assert child.returncode == 0
    assert sorted(parrot.said) == ["hello", "nothing"]


def test_what_a_pass_is_made_with_brings_nothing_of_it_either() -> None:
    script = (
        "import sys, pollctl.passes.engine; print('distributed' in sys.modules, 'pollctl.fanout.engine' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
