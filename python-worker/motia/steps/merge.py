"""One list of steps, and one of streams, from those of several workers, each of which knows its own language only."""

from __future__ import annotations

from collections.abc import Iterable

from .canonical_json import text_order
from .manifest import StepEntry, StreamEntry


def merge_steps(
    current: Iterable[StepEntry], own: Iterable[StepEntry], language: str
) -> tuple[list[StepEntry], list[str]]:
    """Replaces the steps of one language in a project's list.

    Ids become unique, and of two steps on one route the first keeps it, whoever merges: node's steps come first, then
    those of the other languages in alphabetical order, each sorted by file. `current` are the steps that the manifest
    has, `own` those that a worker of `language` has loaded. Gives the entries, sorted by file, and a warning for each
    name and route that is used twice.
    """
    others = [step for step in current if step["language"] != language]
    steps = sorted([*others, *own], key=_precedence)
    steps, route_warnings = _drop_taken_routes(steps)
    steps, name_warnings = _assign_ids(steps)
    return sorted(steps, key=lambda step: text_order(step["file"])), name_warnings + route_warnings


def merge_streams(
    current: Iterable[StreamEntry], own: Iterable[StreamEntry], language: str
) -> tuple[list[StreamEntry], list[str]]:
    """Replaces the streams of one language in a project's list, as `merge_steps` does its steps.

    Of two streams with one name the first keeps it.
    """
    others = [stream for stream in current if stream["language"] != language]
    files: dict[str, str] = {}
    kept: list[StreamEntry] = []
    warnings: list[str] = []
    for stream in sorted([*others, *own], key=_precedence):
        name, file = stream["name"], stream["file"]
        first = files.setdefault(name, file)
        if first == file:
            kept.append(stream)
        else:
            warnings.append(f'{file}: the stream name "{name}" is taken by {first}; this stream is left out')
    return sorted(kept, key=lambda stream: text_order(stream["file"])), warnings


def _precedence(step: StepEntry | StreamEntry) -> tuple[bool, str, bytes]:
    return step["language"] != "node", step["language"], text_order(step["file"])


def _drop_taken_routes(steps: list[StepEntry]) -> tuple[list[StepEntry], list[str]]:
    files: dict[str, str] = {}
    kept: list[StepEntry] = []
    warnings: list[str] = []
    for step in steps:
        if step["type"] == "api":
            route = f"{step['method']} {step['path']}"
            first = files.setdefault(route, step["file"])
            if first != step["file"]:
                warnings.append(f"{step['file']}: {route} is served by {first} already; this step is left out")
                continue
        kept.append(step)
    return kept, warnings


def _assign_ids(steps: list[StepEntry]) -> tuple[list[StepEntry], list[str]]:
    files: dict[str, str] = {}
    unique: list[StepEntry] = []
    warnings: list[str] = []
    for step in steps:
        name, file = step["name"], step["file"]
        first = files.setdefault(name, file)
        id = name if first == file else f"{name}@{file}"
        if first != file:
            warnings.append(f'{file}: the step name "{name}" is taken by {first}; it runs as "{id}"')
        unique.append({**step, "id": id})
    return unique, warnings
