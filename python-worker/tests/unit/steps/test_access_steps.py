"""What workers are asked about who may follow streams, by the golden file that the TypeScript tests read, too."""

from __future__ import annotations

from motia.broker.consumers import request_source
from motia.protocol.subjects import create_names
from motia.steps.access_steps import access_steps, is_access_step
from motia.steps.app_part import AppPart
from tests.golden import golden

_golden = golden("access.json")
_steps = access_steps(stream for stream in _golden["streams"] if stream["language"] == "python")


def test_the_calls_that_a_manifest_asks_for() -> None:
    names = create_names(_golden["app"])
    sources = [request_source(names, step["id"]) for step in _steps]
    shown = [
        [step["id"], step["file"], source.durable, *source.filters]
        for step, source in zip(_steps, sources, strict=True)
    ]
    assert shown == _golden["calls"]["python"]


def test_they_are_in_every_part_of_an_app() -> None:
    for step in _steps:
        assert is_access_step(step)
        assert AppPart(steps=("Pay",)).takes_step(step)
