"""`python -m motia.steps`: prints what the project in the current folder has in Python, for tools without a broker."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path

import orjson

from .discover import discover_steps
from .load import load_files


def main() -> None:
    """Prints `{ steps, streams, failures, includeFiles }`. What modules print themselves goes to standard error.

    Of several steps that want the same name or route, all are there.
    """
    output = os.dup(1)
    os.dup2(2, 1)
    found = discover_steps(Path.cwd())
    project = load_files(Path.cwd(), found.steps + found.streams)
    described = {
        "steps": [step.entry for step in project.steps],
        "streams": project.streams,
        "failures": [asdict(failure) for failure in project.failures],
        "includeFiles": {
            step.entry["file"]: files for step in project.steps if (files := step.config.get("includeFiles"))
        },
    }
    sys.stdout.flush()
    with os.fdopen(output, "wb") as out:
        out.write(orjson.dumps(described))
    os._exit(0)  # a module may have started threads that never end


main()
