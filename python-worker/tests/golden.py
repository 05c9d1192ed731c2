"""The examples of the wire protocol that the tests of both languages assert."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / "shared" / "protocol" / "golden"


def golden(name: str) -> dict[str, Any]:
    """The contents of one golden file."""
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))
