"""What a run has begun: started at once, done before it ends, refused when it is over."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from motia.errors import MotiaError
from motia.handler.active_run import ActiveRun
from motia.handler.operation import Operation
from motia.steps.load import LoadedStep
from motia.tracing import IdSpan
from tests.golden import golden


def make_run(message_id: str = "m1", leased: Callable[[], bool] = lambda: True, step: str = "S") -> ActiveRun:
    return ActiveRun(LoadedStep({"id": step, "name": step}, {}), message_id, 1, IdSpan(None), leased)


class Work:
    """Operations that are told when to end."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.done: list[str] = []
        self._go = asyncio.Event()

    async def __call__(self, name: str, error: Exception | None = None) -> str:
        self.started.append(name)
        await self._go.wait()
        self.done.append(name)
        if error:
            raise error
        return name

    def go(self) -> None:
        self._go.set()


class TestAwaiting:
    async def test_gives_the_result_or_raises(self) -> None:
        run, work = make_run(), Work()
        work.go()
        assert await run.begin(work("a")) == "a"
        with pytest.raises(ValueError, match="no"):
            await run.begin(work("b", ValueError("no")))
        await run.settle()  # it is known already

    @pytest.mark.parametrize(
        "wait",
        [
            asyncio.gather,
            lambda operation: asyncio.gather(asyncio.create_task(operation)),
            lambda operation: asyncio.gather(asyncio.ensure_future(operation)),
            lambda operation: asyncio.gather(asyncio.wait_for(operation, 5)),
            lambda operation: asyncio.gather(asyncio.shield(operation)),
        ],
    )
    async def test_is_possible_in_every_way_that_takes_a_coroutine(self, wait: Callable[[Any], Awaitable[Any]]) -> None:
        run, work = make_run(), Work()
        work.go()
        assert await wait(run.begin(work("a"))) == ["a"]
        with pytest.raises(ValueError, match="no"):
            await wait(run.begin(work("b", ValueError("no"))))
        await run.settle()

    async def test_that_is_cancelled_cancels_the_operation(self) -> None:
        run, work = make_run(), Work()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run.begin(work("a")), 0.01)
        work.go()
        await run.settle()
        assert work.done == []


class TestWithoutAwaiting:
    async def test_all_is_begun_at_once_and_done_before_the_run_ends(self) -> None:
        run, work = make_run(), Work()
        assert not run.has_operations
        for i in range(200):
            run.begin(work(str(i)))
        await asyncio.sleep(0)
        assert len(work.started) == 200
        assert work.done == []
        settling = asyncio.create_task(run.settle())
        await asyncio.sleep(0)
        assert not settling.done()
        work.go()
        await settling
        assert len(work.done) == 200

    async def test_what_is_done_is_not_kept(self) -> None:
        run, work = make_run(), Work()
        work.go()
        for i in range(1000):
            await run.begin(work(str(i)))
        assert sum(type(kept) is Operation for kept in gc.get_objects()) < 100

    async def test_what_fails_fails_the_run(self) -> None:
        run, work = make_run(), Work()
        work.go()
        for i in range(200):
            run.begin(work(str(i), ValueError("lost") if i == 3 else None))
            await asyncio.sleep(0)
        with pytest.raises(ValueError, match="lost"):
            await run.settle()

    async def test_the_failure_of_a_run_that_has_failed_anyway_is_nobodys_business(
        self, unhandled: list[dict[str, Any]]
    ) -> None:
        run, work = make_run(), Work()
        run.begin(work("a", ValueError("lost")))
        run.abandon()
        work.go()
        await asyncio.sleep(0.01)
        del run
        assert unhandled == []

    @pytest.fixture
    async def unhandled(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
        return found


class TestFromAThread:
    async def test_a_plain_function_gets_the_result(self) -> None:
        run, work = make_run(), Work()
        work.go()

        def function() -> str:
            assert threading.current_thread() is not threading.main_thread()
            with pytest.raises(ValueError, match="no"):
                run.begin(work("a", ValueError("no")))
            return run.begin(work("b"))

        assert await asyncio.to_thread(function) == "b"

    async def test_code_on_a_loop_of_its_own_gets_something_to_await(self) -> None:
        run, work = make_run(), Work()
        work.go()

        async def elsewhere() -> str:
            return await run.begin(work("a"))

        assert await asyncio.to_thread(lambda: asyncio.run(elsewhere())) == "a"


class TestFence:
    async def test_what_begins_after_it_is_refused_with_the_reason(self) -> None:
        run = make_run()
        run.assert_may_act()
        run.fence("it took too long")
        run.fence("another reason")
        with pytest.raises(MotiaError, match="this run is over: it took too long") as caught:
            run.assert_may_act()
        assert caught.value.code == "RUN_OVER"

    async def test_without_its_lease_a_run_is_over_for_good(self) -> None:
        leased = [False]
        run = make_run(leased=lambda: leased[0])
        with pytest.raises(MotiaError, match="another worker"):
            run.assert_may_act()
        leased[0] = True
        with pytest.raises(MotiaError, match="another worker"):
            run.assert_may_act()

    async def test_code_left_behind_by_a_run_that_has_ended_needs_no_lease(self) -> None:
        run = make_run(leased=lambda: False)
        run.ended = True
        run.assert_may_act()


async def test_events_have_the_ids_of_the_protocol() -> None:
    for case in golden("events.json")["ids"]:
        run = make_run(case["run"], step=case["step"])
        ids = [run.event_id(case["topic"], case["json"].encode()) for _ in range(case["before"] + 1)]
        assert ids[-1] == case["id"]
        assert len(set(ids)) == len(ids)
