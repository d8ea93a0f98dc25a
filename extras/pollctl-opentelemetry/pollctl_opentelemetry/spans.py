"""Spans, and where they go. OpenTelemetry is imported with the first one: without a collector nothing is paid for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

    from pollctl import Run

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@contextmanager
def span(name: str, plugin: str, run: Run[Any] | None) -> Iterator[None]:
    """A span in the trace of a pass; none where there is no pass, as in a replay, or no collector."""
    tracer = _tracer() if run else None
    if tracer is None or run is None:
        yield
        return
    from opentelemetry.trace import StatusCode

    attributes = {"pollctl.plugin": plugin, "pollctl.run": run.id}
    started = tracer.start_span(name, _in_trace(run.trace_id), attributes=attributes)
    try:
        yield
    except BaseException as error:
        started.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        started.end()


@cache
def _tracer() -> Tracer | None:
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    service = os.environ.get("OTEL_SERVICE_NAME", "pollctl")
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("pollctl-opentelemetry")


def _in_trace(trace_id: str) -> Context:
    """What makes a span one of a pass: all of its spans have the same parent, which stands for the pass."""
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    parent = SpanContext(int(trace_id, 16), int(trace_id[16:], 16), is_remote=True, trace_flags=TraceFlags(1))
    return set_span_in_context(NonRecordingSpan(parent))
