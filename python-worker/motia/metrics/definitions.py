"""Every metric of the worker: its name, what it says and which labels it has. The same as in `golden/metrics.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """What is known of a metric before anything is counted."""

    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    """In the order in which their values are given."""
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, in seconds."""


_RUNS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_WAITS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

METRICS: Final[dict[str, Metric]] = {
    "motia_broker_connected": Metric("gauge", "Whether the connection to the broker stands."),
    "motia_ready": Metric("gauge", "Whether /health/ready says so."),
    "motia_event_loop_lag_seconds": Metric("gauge", "Longest delay of the event loop in the last minute."),
    "motia_run_duration_seconds": Metric(
        "histogram", "From the start of a handler to its end.", ("step", "kind", "outcome"), _RUNS
    ),
    "motia_queue_wait_seconds": Metric(
        "histogram", "From when the broker stored a message to when a worker took it.", ("step", "kind"), _WAITS
    ),
    "motia_runs_in_flight": Metric("gauge", "Calls, events and ticks that the worker holds.", ("step", "kind")),
    "motia_event_attempts_total": Metric(
        "counter", "Events that a worker has dealt with, by what became of them.", ("step", "topic", "outcome")
    ),
    "motia_emits_total": Metric(
        "counter", "Events that handlers have emitted, counted when their run ends.", ("step",)
    ),
    "motia_handlers": Metric("gauge", "Handler threads, or handler processes of a Python worker.", ("state",)),
    "motia_handler_queue_length": Metric("gauge", "Runs that wait for a handler thread or process."),
}
"""By the name that is exposed. Each has the labels `app` and `role` besides."""
