"""Settings of telemetry, as the parent process hands them over."""

from __future__ import annotations

from typing import Any

from motia.tracing import TelemetryEnvironment


def telemetry(**changes: Any) -> TelemetryEnvironment:
    """Those of somebody who has set nothing, but for the changes."""
    defaults: TelemetryEnvironment = {
        "disabled": False,
        "headers": {},
        "sampler": "parentbased_always_on",
        "samplerRatio": 1,
        "waitingSpans": 2_048,
        "exportedTogether": 512,
        "resourceAttributes": {},
    }
    return {**defaults, **changes}  # type: ignore[typeddict-item]
