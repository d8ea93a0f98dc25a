"""Which requests may be made elsewhere (scale 1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.config.schema import Fanout
from pollctl.fanout.engine import Engine
from pollctl.http.limits import Limits
from pollctl.redaction import Secret

FAR = Fanout(
    engine="dask",
    address="tls://scheduler.example:8786",
    ca_file=Path("ca.pem"),
    cert=Path("cert.pem"),
    key=Secret("a-key-in-pem"),
)
NEAR = Fanout(engine="dask", address="tcp://127.0.0.1:8786")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "127.1",
        "127.1.",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0.0.0.0",
        "0",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:0.0.0.0]",
        "１２７.0.0.1",  # noqa: RUF001 - digits as browsers read them
    ],
)
def test_what_means_this_machine_is_asked_from_here_however_it_is_spelt(host: str) -> None:
    request = Request(url=f"http://{host}:8080/health")
    assert not Engine(FAR, Limits(), Stop()).takes(request)
    assert Engine(NEAR, Limits(), Stop()).takes(request)


@pytest.mark.parametrize(
    "host", ["upstream.example", "192.0.2.7", "10.1", "167772161", "[::ffff:192.0.2.7]", "127.example"]
)
def test_any_other_machine_is_asked_by_workers(host: str) -> None:
    assert Engine(FAR, Limits(), Stop()).takes(Request(url=f"http://{host}/"))


@pytest.mark.parametrize("url", ["http://[::1/", "ftp://upstream.example/", "http:///nowhere"])
def test_what_nobody_could_ask_fares_as_it_does_without_workers(url: str) -> None:
    assert not Engine(FAR, Limits(), Stop()).takes(Request(url=url))
