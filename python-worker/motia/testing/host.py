"""The process that runs the app under test: the test kit of the npm package, which this package is a part of."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Final

from ..errors import MotiaError

_HOST: Final = Path(__file__).resolve().parents[3] / "dist" / "testing" / "host.js"


class Host:
    """Carries commands out, one after the other. Ends with this process, whatever ends that."""

    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None:
            raise RuntimeError("motia.testing needs Node.js: there is no `node` on the PATH")
        if not _HOST.exists():
            raise RuntimeError(f"motia.testing needs the npm package that it is a part of: there is no {_HOST}")
        read, write = os.pipe()
        self._process = subprocess.Popen([node, str(_HOST), str(write)], stdin=subprocess.PIPE, pass_fds=(write,))
        os.close(write)
        self._answers = os.fdopen(read, encoding="utf-8")
        self._lock = threading.Lock()
        self._count = 0

    def ask(self, name: str, *args: object) -> Any:
        """Gives what the command gives. Raises `MotiaError` with the `code` that it ends with."""
        with self._lock:
            self._count += 1
            command = json.dumps({"id": self._count, "name": name, "args": args})
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(f"{command}\n".encode())
                self._process.stdin.flush()
                line = self._answers.readline()
            except BrokenPipeError:
                line = ""
        if not line:
            raise RuntimeError(f"the app under test has ended ({self._process.wait()})")
        answer = json.loads(line)
        if "error" in answer:
            raise MotiaError(answer["code"], answer["error"]) if answer["code"] else RuntimeError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """Lets it end in order, and ends it when it does not."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(timeout=15)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self._process.kill()
            self._process.wait()
        finally:
            self._answers.close()
