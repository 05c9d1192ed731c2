"""`python -m motia.worker`: the broker process, with its zygote. Started by the `motia` program."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

from ..broker.address import BrokerAddress
from ..event_loop import new_event_loop
from ..handler.main import HandlerSetup, run_handler
from ..ipc.run_table import allocate
from .main import WorkerSettings, run_worker
from .parent import OUTPUT, Parent
from .processes.zygote import Zygote


def main() -> int:
    """The process's life. The zygote is forked before there is an event loop or a connection."""
    parent = Parent()
    data = parent.read_settings()
    settings = WorkerSettings.from_json(data)
    setup = HandlerSetup(
        app=settings.app,
        root=settings.root,
        broker=BrokerAddress.from_json(data["broker"]),
        log_level=settings.log_level,
        telemetry=data["telemetry"],
    )
    memory = allocate()
    zygote = Zygote(partial(run_handler, setup, memory), closed_in_children=(OUTPUT,))
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    return loop.run_until_complete(run_worker(settings, zygote, memory, parent))


if __name__ == "__main__":
    sys.exit(main())
