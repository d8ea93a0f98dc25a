"""What a collector gets of a pass, which runs in a process of its own, as cron starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

PLUGIN = """
import msgspec
from pollctl import Poller, Request, hookimpl

class Settings(msgspec.Struct, frozen=True):
    url: str

class Page(msgspec.Struct, frozen=True):
    text: str

class Seen(msgspec.Struct, frozen=True, tag=True):
    text: str
    reason: str

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1,
        summary="A page.",
        settings=Settings,
        batch=Page,
        state=Page,
        decision=Seen,
        effects={"say": "keyed"},
    )

@hookimpl
def pollctl_fetch(run):
    for answer in run.get_many([Request(url=run.settings.url)]):
        run.reached("page")
        yield Page(answer.text)

@hookimpl
def pollctl_load():
    return Page("nothing")

@hookimpl
def pollctl_decide(batch):
    if batch.text == "broken":
        raise LookupError("the secret is swordfish")
    return [Seen(batch.text, "it was seen")]

@hookimpl
def pollctl_apply(decisions, run):
    for seen in decisions:
        run.effect("say", seen.text, {})

@hookimpl
def pollctl_deliver(effect):
    return None
"""


class World(FakeUpstream):
    """A page, and a collector of spans."""

    def __init__(self) -> None:
        super().__init__()
        self.page = b"a page"
        self.exports: list[ExportTraceServiceRequest] = []

    def respond(self, request: ServerRequest) -> ServerResponse:
        if request.method == "GET":
            return ServerResponse(body=self.page)
        self.exports.append(ExportTraceServiceRequest.FromString(request.body))
        return ServerResponse()

    def spans(self) -> list[Any]:
        return [
            span
            for export in self.exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


def a_pass(folder: Path, world: World, **more: str) -> dict[str, Any]:
    (folder / "plugins").mkdir(mode=0o755, exist_ok=True)
    (folder / "plugins/page.py").write_text(PLUGIN)
    (folder / "pollctl.toml").write_text(
        f'[pollctl]\nplugins_dir = "plugins"\ndatabase = "pollctl.db"\n[plugins.page]\nurl = "{world.url}"\n'
    )
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
    env = {**kept, "HOME": str(folder), **more}
    words = [sys.executable, "-m", "pollctl", "run", "page", "--json"]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_each_hook_of_a_pass_is_a_span_in_its_trace(tmp_path: Path) -> None:
    with World() as world:
        report = a_pass(tmp_path, world, OTEL_EXPORTER_OTLP_ENDPOINT=world.url)
    assert report["outcome"] == "ok"
    spans = world.spans()
    assert {span.name for span in spans} == {"fetch", "load", "decide", "apply", "deliver"}
    assert len({span.trace_id for span in spans}) == 1
    attributes = {one.key: one.value.string_value for span in spans for one in span.attributes}
    assert attributes == {"pollctl.plugin": "page", "pollctl.run": report["run_id"]}
    service = [one.value.string_value for one in world.exports[0].resource_spans[0].resource.attributes]
    assert "pollctl" in service


def test_an_error_is_told_by_its_type_alone(tmp_path: Path) -> None:
    with World() as world:
        world.page = b"broken"
        report = a_pass(tmp_path, world, OTEL_EXPORTER_OTLP_ENDPOINT=world.url)
    assert report["outcome"] == "failed"
    assert [span.status.message for span in world.spans() if span.status.code] == ["LookupError"]
    assert "swordfish" not in str(world.exports)


def test_without_a_collector_nothing_is_sent_and_one_that_is_down_fails_no_pass(tmp_path: Path) -> None:
    with World() as world:
        assert a_pass(tmp_path, world)["outcome"] == "ok"
        down = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        assert a_pass(tmp_path, world, **down)["outcome"] == "ok"
    assert not world.exports
