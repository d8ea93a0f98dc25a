"""The plugin that docs/plugins.md builds: written, installed, tested and run from the words of the page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from manual_pages import PLUGINS, blocks, command_lines, files_of
from plugin_package import clean_environment, json_of, make_plugin_package, run_pollctl, write_settings

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

pytestmark = pytest.mark.slow

FILES = files_of(PLUGINS)
WRAPPER = "pollctl_slow.py"


class Installed(NamedTuple):
    """The package as the page has it: its source, and the environment in which it is installed."""

    source: Path
    env: dict[str, str]


@pytest.fixture(scope="module")
def gauge(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    source, site = tmp_path_factory.mktemp("gauge"), tmp_path_factory.mktemp("site")
    for name in FILES.keys() - {WRAPPER}:
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(FILES[name])
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True, timeout=120)
    return Installed(source, clean_environment(tmp_path_factory.mktemp("home")) | {"PYTHONPATH": str(site)})


class World(FakeUpstream):
    """The river and the crew's inbox."""

    def __init__(self) -> None:
        super().__init__()
        self.cm = 200.0
        self.told: list[tuple[str, str]] = []

    def respond(self, request: ServerRequest) -> ServerResponse:
        if request.method == "GET":
            return ServerResponse.json({"cm": self.cm})
        self.told.append((request.headers["idempotency-key"], json.loads(request.body)["message"]))
        return ServerResponse.json({})


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


def test_the_page_holds_a_whole_package() -> None:
    assert FILES.keys() >= {"pyproject.toml", "pollctl_gauge/__init__.py", "tests/test_gauge.py", WRAPPER}


def test_the_tests_of_the_package_on_the_page_pass(gauge: Installed) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        command, cwd=gauge.source, env=gauge.env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


def test_the_commands_on_the_page_do_what_it_says(gauge: Installed, world: World, tmp_path: Path) -> None:
    [settings] = [block.text for block in blocks(PLUGINS) if block.mark == "settings of gauge"]
    (tmp_path / "pollctl.toml").write_text(settings.replace("http://127.0.0.1:8080", world.url))
    env = gauge.env | {"GAUGE_TELL": f"{world.json_url}/crew"}
    world.cm = 310.0
    lines = [words for block in blocks(PLUGINS) for words in command_lines(block)]
    assert ["run", "gauge"] in lines
    for words in lines:
        done = run_pollctl(tmp_path, env, *words)
        # `check` and `plugins` also judge what else is installed here
        assert done.returncode == 0 or words == ["check"], done.stderr
        assert "gauge" in done.stdout or words == ["gauge", "readings"]
    found = {row["subject"]: row["level"] for row in json_of(run_pollctl(tmp_path, env, "check", "--json"))}
    assert found["gauge"] == "ok"
    [reading] = json_of(run_pollctl(tmp_path, env, "gauge", "readings", "--json"))
    assert (reading["cm"], reading["is_high"]) == (310.0, 1)
    assert world.told == [(f"warning:{reading['at']}", "310 cm, the mark is at 300 cm")]
    assert reading["told_at"]
    assert "pollctl_gauge_level_cm 310.0" in run_pollctl(tmp_path, env, "metrics").stdout


def test_a_gauge_that_is_silent_fails_the_pass_and_is_named(gauge: Installed, tmp_path: Path) -> None:
    write_settings(tmp_path, '[plugins.gauge]\nurl = "http://127.0.0.1:1/"\n')
    done = run_pollctl(tmp_path, gauge.env, "run", "gauge")
    assert done.returncode == 1
    assert "gauge: failed: gauge: 127.0.0.1:1: connection refused" in done.stderr


def test_a_warning_that_nobody_can_get_is_dead_at_once(gauge: Installed, world: World, tmp_path: Path) -> None:
    world.cm = 310.0
    write_settings(tmp_path, f'[plugins.gauge]\nurl = "{world.url}/"\n')
    assert run_pollctl(tmp_path, gauge.env, "run", "gauge").returncode == 3
    [effect] = json_of(run_pollctl(tmp_path, gauge.env, "outbox", "list", "--json"))
    assert (effect["status"], effect["last_error"]) == ("dead", "nobody to tell: set plugins.gauge.tell")


def test_the_story_on_the_page_joins_the_demo_and_tells_the_crew_once(gauge: Installed, tmp_path: Path) -> None:
    told = run_pollctl(tmp_path, gauge.env, "demo").stdout
    assert "gauge: is the river above its mark?" in told
    assert told.count("to crew: High water") == 1


def test_the_wrapper_on_the_page_is_called_around_the_decide_of_every_plugin(
    gauge: Installed, world: World, tmp_path: Path
) -> None:
    both = make_plugin_package(tmp_path, "pollctl_slow", FILES[WRAPPER], group="pollctl.wrappers", env=gauge.env)
    write_settings(tmp_path, f'[plugins.gauge]\nurl = "{world.url}/"\n')
    assert "decided Reading in" in run_pollctl(tmp_path, both, "plan", "gauge").stderr
    assert "decided" not in run_pollctl(tmp_path, gauge.env, "plan", "gauge").stderr


def test_what_the_page_says_of_the_database_holds(gauge: Installed, world: World, tmp_path: Path) -> None:
    """An apply that writes to a table of the core is refused in the words of the page."""
    site = Path(gauge.env["PYTHONPATH"])
    worse = tmp_path / "worse"
    (worse / "pollctl_gauge").mkdir(parents=True)
    for file in (site / "pollctl_gauge").glob("*.py"):
        (worse / "pollctl_gauge" / file.name).write_text(file.read_text())
    store = worse / "pollctl_gauge" / "store.py"
    store.write_text(
        store.read_text().replace("    run.count(", "    db.execute('UPDATE runs SET pid=1')\n    run.count(")
    )
    write_settings(tmp_path, f'[plugins.gauge]\nurl = "{world.url}/"\n')
    env = gauge.env | {"PYTHONPATH": os.pathsep.join((str(worse), str(site)))}
    done = run_pollctl(tmp_path, env, "run", "gauge")
    assert done.returncode == 1
    refusal = "apply may not do this to the database: UPDATE of runs"
    assert refusal in done.stderr
    assert refusal in PLUGINS.read_text()
