"""Finds the step and stream files of a project by their names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_FOLDERS = ("src", "steps")
_STEP = re.compile(r".*[._]step\.py", re.DOTALL)
_STREAM = re.compile(r".*[._]stream\.py", re.DOTALL)
_SKIPPED = frozenset({"node_modules", "__pycache__", "python_modules"})


@dataclass(slots=True)
class Discovered:
    """Paths relative to the project, with `/`, sorted."""

    steps: list[str] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)


def discover_steps(root: Path | str) -> Discovered:
    """Walks `src/` and `steps/` of the project.

    Follows symbolic links; skips dotfiles and the folders of installed packages and compiled modules.
    """
    files: list[str] = []
    for folder in _FOLDERS:
        _walk(Path(root), folder, (), files)
    files.sort()
    return Discovered(
        steps=[file for file in files if _STEP.fullmatch(file)],
        streams=[file for file in files if is_stream_file(file)],
    )


def is_stream_file(file: str) -> bool:
    """Whether a file defines a stream rather than a step."""
    return _STREAM.fullmatch(file) is not None


def _walk(root: Path, folder: str, parents: tuple[str, ...], files: list[str]) -> None:
    """`parents`: real paths of the folders above, so that a link to one of them does not go round for ever."""
    real = os.path.realpath(root / folder)
    if real in parents:
        return
    try:
        entries = list(os.scandir(real))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        path = f"{folder}/{entry.name}"
        if _is(entry.is_dir):
            _walk(root, path, (*parents, real), files)
        elif _is(entry.is_file):
            files.append(path)


def _is(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except OSError:  # links in a circle
        return False
