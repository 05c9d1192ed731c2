"""The metrics of the worker. Counting is adding plain numbers; all else is done when somebody asks.

The library that makes text of them is loaded then, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from .definitions import METRICS
from .durations import Durations

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

T = TypeVar("T")

Readings: TypeAlias = Iterable[tuple[Sequence[str], float]]
"""The value of a gauge for each combination of labels."""


@dataclass(slots=True)
class Counter:
    """A number that rises. Whoever counts keeps it at hand."""

    value: int = 0


class _Series(Generic[T]):
    """What is counted under one name, by the values of its labels."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self.by_labels: dict[tuple[str, ...], T] = {}

    def get(self, label_values: tuple[str, ...]) -> T:
        found = self.by_labels.get(label_values)
        if found is None:
            found = self.by_labels[label_values] = self._make()
        return found


class Metrics:
    """`labels` are those that all of its metrics have: the app and the role."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels: Final = dict(labels)
        self._counters: dict[str, _Series[Counter]] = {}
        self._histograms: dict[str, _Series[Durations]] = {}
        self._gauges: dict[str, Callable[[], Readings]] = {}
        self._registry: Any = None

    def counter(self, name: str, *label_values: str) -> Counter:
        """The counter with these labels."""
        return self._counters.setdefault(name, _Series(Counter)).get(label_values)

    def histogram(self, name: str, *label_values: str) -> Durations:
        """The histogram with these labels."""
        buckets = METRICS[name].buckets
        return self._histograms.setdefault(name, _Series(lambda: Durations(buckets))).get(label_values)

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """A value that is read when somebody asks."""
        self._gauges[name] = lambda: [((), read())]

    def gauges(self, name: str, read: Callable[[], Readings]) -> None:
        """Values with labels that are read when somebody asks."""
        self._gauges[name] = read

    def expose(self, accept: str) -> tuple[str, bytes]:
        """Content type and text for somebody who asks with this `Accept` header."""
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415

        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._all())

    def families(self) -> list[dict[str, Any]]:
        """What `expose` tells, as data: a `MetricFamily` of `shared/metrics/exposition.ts` each."""
        return [
            {
                "name": family.name,
                "type": family.type,
                "help": family.documentation,
                "samples": [_sample(family.name, sample) for sample in family.samples],
            }
            for family in self._all().collect()
        ]

    def collect(self) -> Iterator[Family]:
        """What was counted, as the library wants it."""
        from prometheus_client.core import (  # noqa: PLC0415
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        own = tuple(self._labels.values())
        for name, counters in self._counters.items():
            counter = CounterMetricFamily(name, METRICS[name].help, labels=self._names(name))
            for values, number in counters.by_labels.items():
                counter.add_metric([*own, *values], number.value)
            yield counter
        for name, durations in self._histograms.items():
            histogram = HistogramMetricFamily(name, METRICS[name].help, labels=self._names(name))
            for values, one in durations.by_labels.items():
                histogram.add_metric([*own, *values], _buckets(one), one.sum)
            yield histogram
        for name, read in self._gauges.items():
            gauge = GaugeMetricFamily(name, METRICS[name].help, labels=self._names(name))
            for values, value in read():
                gauge.add_metric([*own, *values], value)
            yield gauge

    def _names(self, name: str) -> list[str]:
        return [*self._labels, *METRICS[name].labels]

    def _all(self) -> Any:
        """Ours, and what the library tells of the process."""
        if self._registry is None:
            from prometheus_client import (  # noqa: PLC0415
                CollectorRegistry,
                GCCollector,
                PlatformCollector,
                ProcessCollector,
            )

            of_process = CollectorRegistry()
            for collector in (ProcessCollector, GCCollector, PlatformCollector):
                collector(registry=of_process)
            registry = CollectorRegistry()
            registry.register(self)
            registry.register(_Labelled(of_process, self._labels))
            self._registry = registry
        return self._registry


class _Labelled:
    """The metrics of another registry, with labels added."""

    def __init__(self, registry: Any, labels: Mapping[str, str]) -> None:
        self._registry = registry
        self._labels = labels

    def collect(self) -> Iterator[Family]:
        for family in self._registry.collect():
            family.samples = [sample._replace(labels={**self._labels, **sample.labels}) for sample in family.samples]
            yield family


def _buckets(durations: Durations) -> list[Any]:
    from prometheus_client.core import Exemplar  # noqa: PLC0415

    bounds = [*(str(bound) for bound in durations.bounds), "+Inf"]
    buckets: list[Any] = []
    for bound, count, example in zip(bounds, accumulate(durations.counts), durations.examples, strict=True):
        parts = example.traceparent.split("-") if example else ()
        if example and len(parts) > 1:
            buckets.append((bound, count, Exemplar({"trace_id": parts[1]}, example.seconds, example.at)))
        else:
            buckets.append((bound, count))
    return buckets


def _sample(family: str, sample: Any) -> dict[str, Any]:
    data = {"suffix": sample.name[len(family) :], "labels": sample.labels, "value": float(sample.value)}
    if sample.exemplar:
        labels, value, at = sample.exemplar.labels, sample.exemplar.value, sample.exemplar.timestamp
        data["exemplar"] = {"traceId": labels["trace_id"], "value": value, "at": round(at * 1000)}
    return data
