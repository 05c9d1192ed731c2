"""The part of an app that one worker takes: what it is named by, and what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import MotiaError
from .access_steps import is_access_step


@dataclass(frozen=True, slots=True)
class AppPart:
    """Everything that one of the names fits. Without any name it is the whole app."""

    steps: tuple[str, ...] = ()
    """Names of steps, or `name@file` of one among several with that name."""
    topics: tuple[str, ...] = ()
    """Single subscriptions: those of every event step to these topics."""
    flows: tuple[str, ...] = ()
    """All steps of these flows."""

    @staticmethod
    def from_json(data: Mapping[str, Iterable[str]]) -> AppPart:
        return AppPart(*(tuple(data[kind]) for kind in ("steps", "topics", "flows")))

    def takes_step(self, step: Mapping[str, Any]) -> bool:
        """Whether a step is in it with all that it has: its calls, its ticks, or every topic.

        What says who may follow streams is in every part.
        """
        is_whole = not (self.steps or self.topics or self.flows)
        return (
            is_whole
            or is_access_step(step)
            or any(name in self.steps for name in _names_of(step))
            or not _flows(step).isdisjoint(self.flows)
        )

    def takes_topic(self, step: Mapping[str, Any], topic: str) -> bool:
        """Whether the subscription of an event step to this topic is in it."""
        return self.takes_step(step) or topic in self.topics

    def check(self, steps: Iterable[Mapping[str, Any]]) -> None:
        """Makes sure that every name fits something. `steps`: all that the worker could take.

        Raises `MotiaError` `INVALID_VALUE` that lists what there is.
        """
        steps = list(steps)
        names = {step["name"] for step in steps}
        topics = {topic for step in steps if step["type"] == "event" for topic in step["subscribes"]}
        flows = {flow for step in steps for flow in _flows(step)}
        known = [
            ("step", self.steps, {name for step in steps for name in _names_of(step)}, names),
            ("topic", self.topics, topics, topics),
            ("flow", self.flows, flows, flows),
        ]
        for what, wanted, there, shown in known:
            unknown = next((name for name in wanted if name not in there), None)
            if unknown is not None:
                choice = f"there are: {', '.join(sorted(shown))}" if shown else "there is none"
                message = f'no {what} that this worker could take is named "{unknown}"; {choice}'
                raise MotiaError("INVALID_VALUE", message)


def _names_of(step: Mapping[str, Any]) -> tuple[str, str]:
    return step["name"], f"{step['name']}@{step['file']}"


def _flows(step: Mapping[str, Any]) -> set[str]:
    return set(step["flows"])
