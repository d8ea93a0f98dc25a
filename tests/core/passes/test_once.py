"""``run.once``: what hooks share lives as long as the pass, and is closed with it."""

from __future__ import annotations

from pathlib import Path

from plugin_package import json_of, make_plugin_package, run_pollctl, write_settings
from sample_plugin import PLAIN

SHARED = (
    PLAIN.replace(
        "@hookimpl\ndef pollctl_fetch(run):\n",
        """
class Client:
    def __init__(self):
        print("made", file=open("client.txt", "a"))
    def close(self):
        print("closed", file=open("client.txt", "a"))
        raise RuntimeError("already gone")

def client(run):
    return run.once("client", Client)

@hookimpl
def pollctl_fetch(run):
    client(run)
""",
    )
    + "    client(run)\n"
)


def test_it_is_made_once_for_all_hooks_and_closed_at_the_end(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "counter", SHARED)
    write_settings(tmp_path, "[plugins.counter]")
    done = run_pollctl(tmp_path, env, "run", "counter", "--json")
    assert json_of(done)["outcome"] == "ok"
    assert (tmp_path / "client.txt").read_text().split() == ["made", "closed"]
    assert "counter: closing 'client': RuntimeError: already gone" in done.stderr


def test_a_plan_closes_it_too(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "counter", SHARED)
    write_settings(tmp_path, "[plugins.counter]")
    run_pollctl(tmp_path, env, "plan", "counter")
    assert (tmp_path / "client.txt").read_text().split() == ["made", "closed"]
