"""The public types say yes to what is right and no to what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PYRIGHT = HERE.parents[3] / "node_modules/pyright/index.js"


def test_pyright_agrees_with_every_line() -> None:
    if not PYRIGHT.exists():
        pytest.skip(f"there is no {PYRIGHT}")
    command = ["node", PYRIGHT, "--pythonpath", sys.executable, HERE / "typed_usage.py"]
    result = subprocess.run(command, cwd=HERE.parents[2], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout
