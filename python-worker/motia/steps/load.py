"""Imports a project's step files and checks what they define. Runs where the handlers run: in a handler process."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ..protocol.access import can_access_id
from .access_steps import access_config
from .config_schema import read_config, validate_config, validate_stream_config
from .discover import is_stream_file
from .import_error import StepFailure, describe_import_error
from .json_schema import Validator, compile_validator
from .manifest import StepEntry, StreamEntry, describe_step, describe_stream
from .merge import merge_steps, merge_streams
from .project_imports import ProjectImports
from .validation import format_issues

_CAN_ACCESS = ("canAccess", "can_access")


@dataclass(slots=True)
class LoadedStep:
    """One step, ready to run."""

    entry: StepEntry
    config: dict[str, Any]
    handler: Callable[..., Any] | None = None
    """Absent in `noop` steps only."""
    validate: Validator | None = None
    """Checks `bodySchema` or `input`, if the step has one."""
    call: Callable[..., Awaitable[Any]] | None = None
    """Handler and middleware as one, made at the first run."""
    traced_call: Callable[..., Awaitable[Any]] | None = None
    """The same with a span around each, made at the first run that is recorded."""


@dataclass(frozen=True, slots=True)
class LoadedFiles:
    """What files define, before names and routes are given out: of several that want the same one, all are there."""

    steps: list[LoadedStep]
    streams: list[StreamEntry]
    access: list[LoadedStep]
    """What says who may follow them."""
    failures: list[StepFailure]
    inputs: list[str]
    """Source files of the project that were imported, failures included, relative to it, with `/`, sorted."""


@dataclass(frozen=True, slots=True)
class LoadedProject(LoadedFiles):
    """What a project's step files define."""

    warnings: list[str]
    """One line each, for the log."""


def load_project(root: Path | str, files: Iterable[str]) -> LoadedProject:
    """Loads all that loads; the rest is in `failures`. Never raises for what user code does.

    `files` are step and stream files relative to the project, with `/`. To be called once in a process, and while no
    event loop runs: a module may run one of its own.
    """
    loaded = load_files(root, files)
    streams, stream_warnings = merge_streams([], loaded.streams, "python")
    entries, warnings = merge_steps([], [step.entry for step in loaded.steps], "python")
    kept = {stream["file"] for stream in streams}
    access = [step for step in loaded.access if step.entry["file"] in kept]
    by_file = {step.entry["file"]: step for step in loaded.steps}
    served: list[LoadedStep] = []
    for entry in entries:
        step = by_file[entry["file"]]
        step.entry = entry
        served.append(step)
    return LoadedProject(served, streams, access, loaded.failures, loaded.inputs, warnings + stream_warnings)


def load_files(root: Path | str, files: Iterable[str]) -> LoadedFiles:
    """The first half of `load_project`."""
    project = Path(os.path.realpath(root))
    imports = ProjectImports(project)
    imports.install()
    steps: list[LoadedStep] = []
    streams: list[StreamEntry] = []
    access: list[LoadedStep] = []
    failures: list[StepFailure] = []
    for file in files:
        try:
            module = imports.import_file(file)
            loaded = _read_stream(file, module) if is_stream_file(file) else _read_step(file, module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failures.append(describe_import_error(error, project, file))
            continue
        if isinstance(loaded, str):
            failures.append(StepFailure(file, f"{file}: {loaded}"))
        elif isinstance(loaded, LoadedStep):
            steps.append(loaded)
        else:
            entry, can_access = loaded
            streams.append(entry)
            if can_access:
                access.append(can_access)
    return LoadedFiles(steps, streams, access, failures, sorted(imports.files))


def _read_step(file: str, module: ModuleType) -> LoadedStep | str:
    """The step that a module defines, or what is wrong with it."""
    config = getattr(module, "config", None)
    if config is None:
        return 'no variable named "config"'
    issues = validate_config(config)
    data = read_config(config)
    if issues or data is None:
        return f"invalid config: {format_issues(issues)}"
    step = LoadedStep(describe_step(file, data), data)
    if data["type"] == "noop":
        return step
    handler = getattr(module, "handler", None)
    if not callable(handler):
        return 'no function named "handler"'
    step.handler = handler
    schema = data.get("bodySchema") if data["type"] == "api" else data.get("input")
    if schema is not None:
        step.validate = compile_validator(schema)
    return step


def _read_stream(file: str, module: ModuleType) -> tuple[StreamEntry, LoadedStep | None] | str:
    """The stream that a module defines, and who may follow it if not everyone, or what is wrong with it."""
    config = getattr(module, "config", None)
    if config is None:
        return 'no variable named "config"'
    issues = validate_stream_config(config)
    data = read_config(config)
    if issues or data is None:
        return f"invalid config: {format_issues(issues)}"
    can_access = _can_access(data, module)
    if can_access is None:
        return describe_stream(file, data), None
    if not callable(can_access):
        return '"can_access" is no function'
    access = access_config(can_access_id(str(data["name"])))
    return describe_stream(file, data, can_access=True), LoadedStep(describe_step(file, access), access, can_access)


def _can_access(config: dict[str, Any], module: ModuleType) -> object:
    """What says who may follow a stream, in its config or beside it."""
    places = [*map(config.get, _CAN_ACCESS), *(getattr(module, name, None) for name in _CAN_ACCESS)]
    return next((place for place in places if place is not None), None)
