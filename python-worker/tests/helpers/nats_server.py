"""A real JetStream server for a test: random loopback port, a store of its own, ended with the test."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

_MAX_PAYLOAD = 8 * 1024 * 1024
_DEADLINE_S = 10
_HERE = Path(__file__).parent
_PORT = re.compile(r'"(?:nats|tls)://[^"]*:(\d+)"')


def find_nats_server() -> str:
    """The program, where the `motia` program would look first."""
    configured = os.environ.get("MOTIA_NATS_SERVER") or shutil.which("nats-server")
    if configured:
        return configured
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cached = sorted(caches.glob("motia/nats-server/*/nats-server"))
    if not cached:
        raise RuntimeError("no nats-server: set MOTIA_NATS_SERVER, or let `npm test` fetch one")
    return str(cached[-1])


def make_topology(server: NatsServer, app: str) -> None:
    """Makes an app's streams and buckets. Blocks, some tenths of a second."""
    subprocess.run(["node", _HERE / "topology.mjs", server.url, app], check=True, timeout=30)


class NatsServer:
    """One server, which keeps port and store over a restart."""

    def __init__(self, *, config: str = "", max_payload: int = _MAX_PAYLOAD) -> None:
        """`config`: more text for the configuration file, in the server's own syntax."""
        self._dir = Path(tempfile.mkdtemp(prefix="motia-nats-"))
        self._config = config
        self._max_payload = max_payload
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._port = -1
        self.start()

    @property
    def url(self) -> str:
        """`nats://127.0.0.1:<port>`."""
        return f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts the program; returns when it takes connections and JetStream is up."""
        for old in self._dir.glob("*.ports"):  # a killed server leaves it, and process ids come again
            old.unlink()
        file = self._dir / "nats-server.conf"
        file.write_text(
            f"host: 127.0.0.1\nport: {self._port}\nmax_payload: {self._max_payload}\n"
            f'jetstream {{ store_dir: "{self._dir}/store" }}\nports_file_dir: "{self._dir}"\n{self._config}\n'
        )
        with (self._dir / "log").open("ab") as log:
            self._process = subprocess.Popen([find_nats_server(), "-c", str(file)], stderr=log)
        # Ends the server when this process ends in any way: the shell waits for the end of a pipe that we hold.
        guard = ["sh", "-c", 'read -r _; kill -KILL "$0"', str(self._process.pid)]
        self._guard = subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True)
        deadline = time.monotonic() + _DEADLINE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            for ports in self._dir.glob(f"*_{self._process.pid}.ports"):
                if found := _PORT.search(ports.read_text()):
                    self._port = int(found[1])
                    return
            time.sleep(0.003)
        said = (self._dir / "log").read_text()[-2000:]
        self.stop()
        raise RuntimeError(f"nats-server did not start: {said}")

    def signal(self, number: int) -> None:
        """Sends a signal; after SIGKILL waits for the end of the process."""
        assert self._process is not None
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()
            self._dismiss_guard()

    def crash(self, down: float = 0.0) -> None:
        """kill -9, `down` seconds of silence, and a new start. Blocks: run it in a thread."""
        self.signal(signal.SIGKILL)
        time.sleep(down)
        self.start()

    def stop(self) -> None:
        """Ends the server and removes its store."""
        assert self._process is not None
        if self._process.poll() is None:
            self.signal(signal.SIGKILL)
        shutil.rmtree(self._dir, ignore_errors=True)

    def _dismiss_guard(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None and guard.stdin is not None:
            guard.kill()
            guard.wait()
            guard.stdin.close()
