"""Imports a project's step files and checks what they define. Runs where the handlers run: in a handler process."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from .config_schema import read_config, validate_config
from .import_error import StepFailure, describe_import_error
from .json_schema import Validator, compile_validator
from .manifest import StepEntry, describe_step
from .merge import merge_steps
from .project_imports import ProjectImports
from .validation import format_issues


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


@dataclass(frozen=True, slots=True)
class LoadedProject:
    """What a project's step files define."""

    steps: list[LoadedStep]
    failures: list[StepFailure]
    warnings: list[str]
    """One line each, for the log."""
    inputs: list[str]
    """Source files of the project that were imported, failures included, relative to it, with `/`, sorted."""


def load_project(root: Path | str, files: Iterable[str]) -> LoadedProject:
    """Loads all that loads; the rest is in `failures`. Never raises for what user code does.

    `files` are step files relative to the project, with `/`. To be called once in a process, and while no event loop
    runs: a module may run one of its own.
    """
    project = Path(os.path.realpath(root))
    imports = ProjectImports(project)
    imports.install()
    steps: list[LoadedStep] = []
    failures: list[StepFailure] = []
    for file in files:
        try:
            loaded = _read_step(file, imports.import_file(file))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failures.append(describe_import_error(error, project, file))
            continue
        if isinstance(loaded, str):
            failures.append(StepFailure(file, f"{file}: {loaded}"))
        else:
            steps.append(loaded)
    entries, warnings = merge_steps([], [step.entry for step in steps], "python")
    by_file = {step.entry["file"]: step for step in steps}
    served: list[LoadedStep] = []
    for entry in entries:
        step = by_file[entry["file"]]
        step.entry = entry
        served.append(step)
    return LoadedProject(served, failures, warnings, sorted(imports.files))


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
