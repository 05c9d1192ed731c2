"""What user code does outside of any await ends no process, and is told."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import orjson
import pytest
import uvloop

from motia.errors import MotiaError
from motia.handler.active_run import ActiveRun, current_run
from motia.handler.guards import blame, install_guards, run_guarded
from motia.log import Log
from motia.steps.load import LoadedStep
from motia.tracing import IdSpan


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    before = threading.excepthook
    loop = request.param()
    yield loop
    loop.close()
    threading.excepthook = before


def told(loop: asyncio.AbstractEventLoop, main: Callable[[], Coroutine[Any, Any, None]]) -> list[dict[str, Any]]:
    """The records written while `main` runs."""
    lines: list[bytes] = []
    log = Log("info", lines.append)
    install_guards(loop, log, lambda run: None)
    run_guarded(loop, main(), log)
    return [orjson.loads(line) for line in lines]


async def fail() -> None:
    raise ValueError("unseen")


async def leave() -> None:
    sys.exit(3)


async def in_a_run() -> None:
    step = LoadedStep({"id": "S", "name": "S"}, {})
    current_run.set(ActiveRun(step, "m", 1, IdSpan("00-" + "a" * 32 + "-" + "b" * 16 + "-01"), lambda: True))


def test_an_error_of_a_task_that_nobody_awaits(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        await in_a_run()
        task = asyncio.create_task(fail())
        await asyncio.wait([task])

    (record,) = told(loop, main)
    assert (record["level"], record["action"]) == ("error", "unhandled_error")
    assert record["msg"] == "Unhandled error outside of a run: unseen"
    assert record["err"]["name"] == "ValueError"
    if sys.version_info >= (3, 12):
        assert (record["step"], record["traceId"]) == ("S", "a" * 32)


def test_an_error_of_a_callback(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        def callback() -> None:
            called.set()
            raise ValueError("unseen")

        called = asyncio.Event()
        asyncio.get_running_loop().call_soon(callback)
        await called.wait()

    (record,) = told(loop, main)
    assert record["err"]["message"] == "unseen"


def test_an_error_of_a_thread(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        for error in (ValueError("unseen"), SystemExit(1)):

            def work(error: BaseException = error) -> None:
                raise error

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

    (record,) = told(loop, main)
    assert record["err"]["message"] == "unseen"


def test_sys_exit_in_a_task_of_its_own_does_not_end_the_loop(loop: asyncio.AbstractEventLoop) -> None:
    reached: list[int] = []

    async def main() -> None:
        task = asyncio.create_task(leave())
        await asyncio.wait([task])
        task.exception()
        reached.append(1)

    (record,) = told(loop, main)
    assert record["err"]["code"] == "RUN_CUT_OFF"
    assert reached == [1]


def test_what_the_run_is_said_to_have_failed_with() -> None:
    error = ValueError("x")
    assert blame(error) is error
    for thrown, message in [
        (SystemExit(3), "the handler called sys.exit(3)"),
        (SystemExit(), "the handler called sys.exit()"),
        (asyncio.CancelledError(), "the handler was cancelled"),
    ]:
        blamed = blame(thrown)
        assert isinstance(blamed, MotiaError)
        assert (blamed.code, str(blamed)) == ("RUN_CUT_OFF", message)
