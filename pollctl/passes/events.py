"""Says what happens in a pass while it happens, to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pollctl import clock
from pollctl.console.events import Event
from pollctl.errors import text_of

if TYPE_CHECKING:
    from datetime import datetime

    from pollctl.api.values import Effect
    from pollctl.delivery.effects import Queued
    from pollctl.passes.report import Report
    from pollctl.store.runs import Counters

Listen = Callable[[Event], None]


class PassEvents:
    """The events of one pass.

    Args:
        plugin: whose pass it is.
        run_id: of the pass.
        listen: called with each event, from the threads of deliveries too.
    """

    def __init__(self, plugin: str, run_id: str, listen: Listen) -> None:
        self._plugin = plugin
        self._run_id = run_id
        self._trace_id = ""
        self._listen = listen
        self._settled: list[tuple[str, dict[str, Any]]] = []

    def started(self, trace_id: str, trigger: str, until: datetime) -> None:
        """Its row is written; it goes on until then at most."""
        self._trace_id = trace_id
        self._emit("pass.started", trigger=trigger, until=until)

    def applied(self, batch: int, counters: Counters) -> None:
        """A batch is committed."""
        self._emit(
            "batch.applied",
            batch=batch,
            decisions=counters.decisions,
            effects=counters.effects,
            stats=dict(counters.stats),
        )

    def known_otherwise(self, effects: Sequence[Queued]) -> None:
        """Effects were asked for whose keys are known with other payloads."""
        for effect in effects:
            self._emit("effect.known", kind=effect.kind, key=effect.key, payload="differs; the first one stands")

    def batch_failed(self, batch: int, error: Exception) -> None:
        """Nothing of a batch was kept."""
        self._emit("batch.failed", batch=batch, error=str(error))

    def target_failed(self, target: str, why: str) -> None:
        """A target could not be fetched."""
        self._emit("target.failed", target=target, error=why)

    @contextmanager
    def delivery(self, effect: Effect) -> Iterator[None]:
        """While an effect is sent: that it could not be is told at once."""
        try:
            yield
        except Exception as error:
            self._emit("effect.failed", **_named(effect), error=text_of(error))
            raise

    @contextmanager
    def settling(self, effect: Effect) -> Iterator[None]:
        """While the end of a delivery is written; it is told after its transaction, as who listens may be slow."""
        try:
            yield
        except Exception as error:
            self._settled.append(("effect.failed", {**_named(effect), "error": text_of(error)}))
            raise
        self._settled.append(("effect.delivered", _named(effect)))

    def tell_settled(self) -> None:
        """Tell of the deliveries whose end was written."""
        while self._settled:
            event, facts = self._settled.pop(0)
            self._emit(event, **facts)

    def finished(self, report: Report) -> None:
        """The end of the pass is written."""
        self._emit(
            "pass.finished",
            outcome=report.outcome,
            duration_ms=report.duration_ms,
            batches=report.batches,
            decisions=report.decisions,
            effects=report.effects.queued,
            delivered=report.effects.delivered,
            undelivered=report.effects.failed,
            error=report.error["message"] if report.error else None,
        )

    def _emit(self, event: str, **facts: Any) -> None:
        self._listen(
            Event(
                at=clock.now(),
                event=event,
                plugin=self._plugin,
                run_id=self._run_id,
                trace_id=self._trace_id,
                facts=facts,
            )
        )


def _named(effect: Effect) -> dict[str, Any]:
    """An effect, without its payload: that may be long, or nobody else's business."""
    return {"effect": effect.id, "kind": effect.kind, "key": effect.key, "attempt": effect.attempt}
