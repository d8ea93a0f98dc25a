"""Distributions that know pollctl as strangers do: their wheels are built, installed in an environment of their own, and used.

One has the plugin of docs/plugins.md, on the plain contract, the other a wrapper, extras/pollctl-opentelemetry.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from manual_pages import PLUGINS, ROOT, files_of
from plugin_package import clean_environment

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

pytestmark = pytest.mark.slow

trace_service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")


class Environment(NamedTuple):
    """Where both are installed.

    Attributes:
        folder: with the source of each.
        python: that of the environment.
    """

    folder: Path
    python: Path

    def run(self, where: Path, *words: str, **more: str) -> str:
        """What ``python -m WORDS`` prints, when all is well."""
        done = subprocess.run(
            [str(self.python), "-m", *words],
            cwd=where,
            env=clean_environment(self.folder) | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("strangers")
    for name, text in files_of(PLUGINS).items():
        path = folder / "gauge" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copytree(ROOT / "extras/pollctl-opentelemetry", folder / "opentelemetry")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv/bin/python"
    _lend_what_is_installed(python)
    here = [sys.executable, "-m", "pip", "--quiet"]
    sources = [str(folder / "gauge"), str(folder / "opentelemetry")]
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "wheels")]
    subprocess.run([*here, "wheel", *options, *sources], check=True, timeout=120)
    wheels = [str(path) for path in (folder / "wheels").iterdir()]
    assert len(wheels) == 2
    command = [*here, "--python", str(python), "install", "--no-index", "--no-deps", *wheels]
    subprocess.run(command, check=True, timeout=120)
    return Environment(folder, python)


def _lend_what_is_installed(python: Path) -> None:
    """Let an environment see pollctl and libraries that are installed here: an index would be another machine."""
    [site] = (python.parent.parent / "lib").glob("python*/site-packages")
    (site / "lent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")


class World(FakeUpstream):
    """The river, the crew's inbox, and a collector of spans."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []
        self.spans: list[Any] = []

    def respond(self, request: ServerRequest) -> ServerResponse:
        if request.method == "GET":
            return ServerResponse.json({"cm": 300.0})
        if request.path == "/v1/traces":
            export = trace_service.ExportTraceServiceRequest.FromString(request.body)
            self.spans += [
                span for resource in export.resource_spans for scope in resource.scope_spans for span in scope.spans
            ]
            return ServerResponse()
        self.told.append(json.loads(request.body))
        return ServerResponse.json({})


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


def test_each_passes_its_own_tests_where_it_is_installed(strangers: Environment) -> None:
    for name in ("gauge", "opentelemetry"):
        where = strangers.folder / name
        assert " passed" in strangers.run(where, "pytest", "-q", "-p", "no:cacheprovider", "tests")


def test_both_work_together_without_knowing_each_other(strangers: Environment, world: World, tmp_path: Path) -> None:
    settings = (
        f'[pollctl]\ndatabase = "pollctl.db"\n[plugins.gauge]\nurl = "{world.url}"\ntell = "{world.json_url}/crew"\n'
    )
    (tmp_path / "pollctl.toml").write_text(settings)
    listed = {row["plugin"]: row for row in json.loads(strangers.run(tmp_path, "pollctl", "plugins", "--json"))}
    assert (listed["gauge"]["distribution"], listed["gauge"]["state"]) == ("pollctl-gauge", "enabled")
    assert (listed["opentelemetry"]["distribution"], listed["opentelemetry"]["state"]) == (
        "pollctl-opentelemetry",
        "wrapper",
    )
    strangers.run(tmp_path, "pollctl", "check")
    report = strangers.run(tmp_path, "pollctl", "run", "gauge", "--json", OTEL_EXPORTER_OTLP_ENDPOINT=world.url)
    assert json.loads(report)["outcome"] == "ok"
    assert len(world.told) == 1
    assert {"fetch", "load", "decide", "apply", "deliver"} == {span.name for span in world.spans}
    run_id = json.loads(report)["run_id"]
    shown = json.loads(strangers.run(tmp_path, "pollctl", "show", run_id, "--json"))
    assert {span.trace_id.hex() for span in world.spans} == {shown["trace_id"]}
