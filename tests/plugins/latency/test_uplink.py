"""An uplink that is gone, and names with several addresses: whole passes, by name and by address alike."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from dead_address import LIVING, NAME, name_with_a_dead_address
from plugins.latency.place import Place

TARGETS = ("192.0.2.1:9", "host.example.net:9", "http://192.0.2.1:9/", "http://host.example.net:9/")


def without_network(*words: str) -> list[str]:
    """A command that runs where there is no network but a loopback device that is down; skips where that cannot be had."""
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no network can be taken away here (unshare -rn)")
    return ["unshare", "-rn", *words]


def test_an_uplink_that_is_gone_says_nothing_about_anybody_by_name_or_by_address(place: Place) -> None:
    for target in TARGETS:
        place.insert(target, probe="http" if "://" in target else "tcp")
    command = without_network(sys.executable, "-m", "pollctl", "run", "latency", "--json")
    done = subprocess.run(command, cwd=place.folder, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1, done.stderr
    found = place.sql(
        "SELECT target, sample.status, sample.reason FROM latency_samples AS sample JOIN latency_jobs ON id = job_id"
    )
    assert {(target, status) for target, status, _ in found} == {(target, "system_error") for target in TARGETS}
    assert {reason.partition(":")[0] for _, _, reason in found} == {"no network here"}


def test_a_name_with_a_dead_and_a_living_address_is_there_by_tcp_and_by_http(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was tried: ``timeout = "2s"``; tcp took 2 s and told 0.096 ms, http was missed."""
    place.configure(timeout="2s")
    port = int(place.api.url.rpartition(":")[2])
    with name_with_a_dead_address(monkeypatch, port):
        place.insert(f"{NAME}:{port}", probe="tcp")
        place.insert(f"http://{NAME}:{port}/latency/x/y/", probe="http")
        place.run()

    samples = place.sql("SELECT status, address, rtt_ms FROM latency_samples")
    assert [(status, address) for status, address, _ in samples] == [("success", LIVING)] * 2
    assert all(250 <= rtt < 1500 for _, _, rtt in samples)
