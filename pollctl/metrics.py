"""What plugins build their metric families with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily


def labelled(
    name: str,
    meaning: str,
    labels: Sequence[str],
    samples: Mapping[str, float] | Iterable[tuple[Sequence[str], float]],
    *,
    kind: Literal["gauge", "counter"] = "gauge",
) -> GaugeMetricFamily | CounterMetricFamily:
    """A family with one sample for each combination of label values.

    Args:
        name: the whole name, such as ``pollctl_latency_jobs`` (of a counter without ``_total``).
        meaning: one sentence, shown as HELP.
        labels: the names of the labels.
        samples: by label value where there is one label; else pairs of label values and a number.
        kind: ``gauge`` for what may fall, ``counter`` for what only grows.
    """
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    family = (GaugeMetricFamily if kind == "gauge" else CounterMetricFamily)(name, meaning, labels=labels)
    pairs = (((value,), number) for value, number in samples.items()) if isinstance(samples, Mapping) else samples
    for values, number in pairs:
        family.add_metric(values, number)
    return family
