"""A span for each hook of each pass, sent to an OpenTelemetry collector; a wrapper around the hooks of every plugin."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from pollctl import Run, hookimpl
from pollctl_opentelemetry.spans import span

Around = Generator[None, Any, Any]


@hookimpl(wrapper=True)
def pollctl_fetch(plugin: str, run: Run[Any] | None) -> Around:
    """Each batch as it is asked for."""
    batches = yield
    return _each_traced(batches, plugin, run)


@hookimpl(wrapper=True)
def pollctl_load(plugin: str, run: Run[Any] | None) -> Around:
    """Reading the state."""
    with span("load", plugin, run):
        return (yield)


@hookimpl(wrapper=True)
def pollctl_decide(plugin: str, run: Run[Any] | None) -> Around:
    """The rules."""
    with span("decide", plugin, run):
        return (yield)


@hookimpl(wrapper=True)
def pollctl_apply(plugin: str, run: Run[Any] | None) -> Around:
    """Writing what was decided."""
    with span("apply", plugin, run):
        return (yield)


@hookimpl(wrapper=True)
def pollctl_deliver(plugin: str, run: Run[Any] | None) -> Around:
    """One effect on its way out."""
    with span("deliver", plugin, run):
        return (yield)


def _each_traced(batches: Generator[Any], plugin: str, run: Run[Any] | None) -> Iterator[Any]:
    with closing(batches):
        while True:
            with span("fetch", plugin, run):
                try:
                    batch = next(batches)
                except StopIteration:
                    return
            yield batch
