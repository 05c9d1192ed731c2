"""One worker: has the project's steps loaded, makes the broker ready for them, and takes their work until it closes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from dataclasses import dataclass
from mmap import mmap
from typing import Any, Final

from ..broker.address import BrokerAddress
from ..broker.connect import Broker, connect_broker
from ..broker.cron_store import CronStore
from ..broker.events import EventStore
from ..broker.holdings import WorkerIdentity, answer_holdings
from ..broker.manifest_store import watch_manifest
from ..broker.telemetry_store import TelemetryStore
from ..broker.worker_lease import WorkerLease
from ..errors import MotiaError
from ..log import Log, LogLevel
from ..ops import Ops, OpsAddress
from ..protocol.subjects import create_names
from ..steps.app_part import AppPart
from .credit_inbox import CreditInbox
from .parent import Parent
from .processes.pool import ProcessPool
from .processes.zygote import Zygote
from .project_versions import LANGUAGE, ProjectVersions
from .request_consumer import ConsumerServices
from .step_worker import StepWorker

_DEFAULT_CONCURRENCY: Final = 10
# What blocks them ends by itself or is ended: another process would not be better off.
_BLOCKED: Final = "no handler process answers: handlers compute without a pause"


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What the parent process says first."""

    app: str
    """Sanitised app name."""
    partitions: int
    """Partitions that message groups are spread over."""
    root: str
    """Absolute path of the project."""
    broker: BrokerAddress
    processes: int
    """Handler processes."""
    part: AppPart
    """What it takes of the app."""
    concurrency: int
    """Runs at a time of an event step that says nothing about it."""
    watch: bool
    """Keep serving the rest when a step is broken. The parent says when to reload."""
    provision_only: bool
    """Make the broker ready for the steps, and end."""
    log_level: LogLevel
    stored: bool
    """Whether spans and log records are stored on the broker."""
    grace: float
    """Seconds that runs may take to finish at shutdown."""
    ops: OpsAddress | None = None
    """Where metrics and health are served."""
    skip_waits: bool = False
    """Events of ordered subscriptions do not wait in their place. For tests."""

    @staticmethod
    def from_json(data: dict[str, Any]) -> WorkerSettings:
        return WorkerSettings(
            app=data["app"],
            partitions=data["partitions"],
            root=data["root"],
            broker=BrokerAddress.from_json(data["broker"]),
            processes=data["processes"],
            part=AppPart.from_json(data["part"]) if "part" in data else AppPart(),
            concurrency=data.get("concurrency", _DEFAULT_CONCURRENCY),
            watch=data["watch"],
            provision_only=data["provisionOnly"],
            log_level=data["logLevel"],
            stored=data["telemetry"].get("stored", False),
            grace=data["graceMs"] / 1000,
            ops=OpsAddress(**data["ops"]) if data.get("ops") else None,
            skip_waits=data.get("skipWaits", False),
        )


_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def run_worker(settings: WorkerSettings, zygote: Zygote, memory: mmap, parent: Parent) -> int:
    """Runs until a signal or the end of the parent. Gives the exit code."""
    worker = _Worker(settings, zygote, memory, parent)
    try:
        await worker.run()
    except MotiaError as error:
        parent.tell({"type": "failed", "message": error.message, "code": error.code})
        return 1
    finally:
        await worker.close()
    return worker.exit_code


class _Worker:
    def __init__(self, settings: WorkerSettings, zygote: Zygote, memory: mmap, parent: Parent) -> None:
        self.exit_code = 0
        self._settings = settings
        self._parent = parent
        self._names = create_names(settings.app, settings.partitions)
        self._log = Log(settings.log_level, self._write_line)
        self._store: TelemetryStore | None = None
        self._stop = asyncio.Event()
        self._broker: Broker | None = None
        self._worker: StepWorker | None = None
        self._lease: WorkerLease | None = None
        self._reloads: set[asyncio.Task[None]] = set()
        self._ops = Ops(settings.app)
        self._serves = False
        self._pool = ProcessPool(
            zygote,
            memory,
            size=settings.processes,
            log=self._log,
            on_log=self._write_line,
            on_console=self._store_line,
            on_spans=self._store_spans,
            before_send=self._before_send,
            on_lost=self._on_zygote_lost,
        )

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._stop.set)
        self._describe_health()
        if self._settings.ops and not self._settings.provision_only:
            await self._ops.serve(self._settings.ops, self._log)
        broker = self._broker = await connect_broker(
            self._settings.broker,
            name=f"{self._settings.app} python worker",
            on_disconnect=self._on_disconnect,
            on_reconnect=self._on_reconnect,
            on_error=lambda text: self._log.write("warn", {"action": "broker_error"}, f"Broker: {text}"),
        )
        self._ops.watch(broker)
        if self._settings.stored and not self._settings.provision_only:
            self._store = TelemetryStore(broker, self._names, "python-worker", self._log)
        services = ConsumerServices(
            broker,
            self._names,
            self._pool,
            self._log,
            self._ops.metrics,
            CreditInbox(broker),
            self._settings.skip_waits,
        )
        worker = self._worker = StepWorker(
            services,
            EventStore(broker, self._names),
            CronStore(broker, self._names),
            self._settings.part,
            self._settings.concurrency,
        )
        self._lease = WorkerLease(broker, self._names, self._log, lambda: worker.sources)
        versions = ProjectVersions(
            self._settings.root,
            broker,
            self._names,
            self._pool,
            worker,
            self._lease,
            self._log,
            part=self._settings.part,
            watch=self._settings.watch,
            provision_only=self._settings.provision_only,
        )
        self._parent.listen(lambda message: self._on_message(message, versions), self._stop.set)
        await versions.start()
        self._serves = True
        self._parent.tell({"type": "started"})
        if self._settings.provision_only:
            return
        identity = WorkerIdentity(worker=self._lease.id, language=LANGUAGE, host=socket.gethostname(), pid=os.getpid())
        answer_holdings(broker, self._names, identity, worker.holdings)
        broker.subscribe(self._names.cancel, lambda message: worker.cancel(message.data.decode()))
        watch = await watch_manifest(broker, self._names, versions.on_manifest)
        try:
            await self._stop.wait()
        finally:
            await watch.close()

    async def close(self) -> None:
        """Lets what is under way finish."""
        self._ops.health.drain()
        if self._worker:
            await self._worker.drain(self._settings.grace)
        if self._lease:
            await self._lease.stop()
        await self._pool.close(self._settings.grace)
        if self._store:
            await self._store.close()
        if self._broker:
            await self._broker.close()
        await self._ops.close()

    def _describe_health(self) -> None:
        def can_serve() -> str | None:
            if not self._serves:
                return "the steps are not served yet"
            return None if self._pool.answers else _BLOCKED

        self._ops.health.ready_if(can_serve)
        metrics = self._ops.metrics
        metrics.gauges("motia_handlers", lambda: [((state,), n) for state, n in self._pool.states().items()])
        metrics.gauge("motia_handler_queue_length", lambda: self._pool.waiting)
        metrics.gauges("motia_runs_in_flight", lambda: self._worker.holding() if self._worker else [])

    def _write_line(self, line: bytes) -> None:
        """Of the log."""
        self._parent.write_line(line)
        self._store_line(line)

    def _store_line(self, line: bytes) -> None:
        if self._store:
            self._store.add_log_line(line)

    def _store_spans(self, lines: list[bytes], dropped: int) -> None:
        if self._store:
            self._store.add_spans(lines, dropped)

    def _before_send(self) -> None:
        """Acks that have to be there before their calls begin."""
        if self._broker:
            self._broker.flush_sends()

    def _on_disconnect(self) -> None:
        if self._worker:
            self._worker.on_disconnect()

    def _on_reconnect(self) -> None:
        if self._worker:
            self._worker.on_reconnect()

    def _on_message(self, message: dict[str, Any], versions: ProjectVersions) -> None:
        if message.get("type") == "reload":
            task = asyncio.get_running_loop().create_task(versions.reload())
            self._reloads.add(task)
            task.add_done_callback(self._reloads.discard)
        elif message.get("type") == "metrics":
            self._parent.tell({"type": "metrics", "families": self._ops.metrics.families()})

    def _on_zygote_lost(self) -> None:
        if not self._stop.is_set():
            self.exit_code = 1
            self._log.write("error", {"action": "zygote_lost"}, "The process that starts handler processes ended")
            self._stop.set()
