"""What a worker takes of an app, by the golden file that the TypeScript tests read, too."""

from __future__ import annotations

from typing import Any

import pytest

from motia.errors import MotiaError
from motia.steps.app_part import AppPart
from tests.golden import golden

_golden = golden("parts.json")
_steps: list[dict[str, Any]] = _golden["steps"]


@pytest.mark.parametrize("case", _golden["parts"], ids=lambda case: str(case["part"]))
def test_part(case: dict[str, Any]) -> None:
    part = AppPart.from_json(case["part"])
    if "error" in case:
        with pytest.raises(MotiaError) as raised:
            part.check(_steps)
        assert raised.value.message == case["error"]
        return
    part.check(_steps)
    taken: list[str] = []
    for step in _steps:
        if step["type"] == "event":
            taken += [f"{step['file']} {topic}" for topic in step["subscribes"] if part.takes_topic(step, topic)]
        elif step["type"] != "noop" and part.takes_step(step):
            taken.append(step["file"])
    assert taken == case["takes"]
