"""What handlers do to the world through their context, awaited and not, on the event loop and in threads."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from motia.errors import MotiaError
from tests.integration.handler.conftest import TRACE_ID, Runs, Subscription


class TestEmit:
    async def test_stores_the_event_as_the_protocol_has_it(self, runs: Runs, subscription: Subscription) -> None:
        async def handler(_: object, context: Any) -> None:
            await context.emit({"topic": subscription.topic, "data": {"id": 7}, "messageGroupId": "g"})
            await context.emit(topic=subscription.topic, data={"id": 7}, message_group_id=8)
            await context.emit({"topic": subscription.topic})

        assert await runs.event(handler) is None
        assert await subscription.arrived(3) == [{"id": 7}, {"id": 7}, None]
        first, second, third = [event for event, _ in subscription.events]
        assert (first.group, second.group, third.group) == ("g", "8", None)
        assert second.id == f"{first.id}.1"
        assert all(event.traceparent.startswith(f"00-{TRACE_ID}-") for event in (first, second, third))

    async def test_a_run_that_is_had_again_emits_the_same_once(self, runs: Runs, subscription: Subscription) -> None:
        async def handler(_: object, context: Any) -> None:
            await context.emit(topic=subscription.topic, data=1)
            if context.attempt == 2:
                await context.emit(topic=subscription.topic, data="last")

        for attempt in (1, 2):
            runs._ids = iter([7])
            assert await runs.event(handler, attempt=attempt) is None
        assert await subscription.arrived(2) == [1, "last"]

    @pytest.mark.parametrize("kind", ["event", "api"])
    async def test_what_is_not_awaited_is_stored_as_it_was_then_before_the_run_ends(
        self, runs: Runs, subscription: Subscription, kind: str
    ) -> None:
        async def handler(_: object, context: Any) -> dict[str, int]:
            data = {"n": 0}
            for n in range(200):
                data["n"] = n
                context.emit({"topic": subscription.topic, "data": data})
            return {"status": 204}

        if kind == "api":
            assert (await runs.api(handler)).status == 204
        else:
            assert await runs.event(handler) is None
        assert await subscription.arrived(200) == [{"n": n} for n in range(200)]

    async def test_a_plain_function_emits_without_awaiting(self, runs: Runs, subscription: Subscription) -> None:
        def handler(_: object, context: Any) -> None:
            assert threading.current_thread() is not threading.main_thread()
            assert context.emit({"topic": subscription.topic, "data": 1}) is None
            assert len(asyncio.run(gather(context))) == 2

        async def gather(context: Any) -> list[None]:
            return await asyncio.gather(*[context.emit(topic=subscription.topic, data=n) for n in (2, 3)])

        assert await runs.event(handler) is None
        assert sorted(await subscription.arrived(3)) == [1, 2, 3]

    async def test_an_undeclared_topic_is_not_sent_and_told(self, runs: Runs, subscription: Subscription) -> None:
        async def handler(_: object, context: Any) -> None:
            await context.emit(topic="other", data=1)
            context.emit(topic="another", data=1)
            await context.emit(topic=subscription.topic, data=2)

        assert await runs.event(handler, emits=[subscription.topic]) is None
        assert await subscription.arrived(1) == [2]
        assert [(record["level"], record["action"], record["topic"]) for record in runs.records] == [
            ("error", "undeclared_topic", "other"),
            ("error", "undeclared_topic", "another"),
        ]
        assert runs.records[0]["msg"] == (
            'Order emitted to "other", which is not in its emits; the event was not sent. Add it in src/order_step.py.'
        )

    @pytest.mark.parametrize("event", [{"data": 1}, {"topic": 7}, "order", None, {"topic": "t", "data": {1}}])
    async def test_what_is_no_event_is_refused(self, runs: Runs, event: Any) -> None:
        async def handler(_: object, context: Any) -> None:
            context.emit(event)

        error = await runs.event(handler)
        assert error is not None
        assert error.get("code") == "INVALID_VALUE"


class TestState:
    async def test_in_a_coroutine(self, runs: Runs) -> None:
        async def handler(_: object, context: Any) -> None:
            state = context.state
            assert await state.get("users", "7") == None  # noqa: E711
            assert not await state.get("users", "7")
            assert (await state.get("users", "7")).get("data") is None
            assert await state.set("users", "7", {"name": "Zoë"}) == {"name": "Zoë"}
            value = await state.get("users", 7)
            assert value["name"] == value["data"]["name"] == value.get("data").get("name") == "Zoë"
            await state.set("users", "8", value)
            for key, falsy in [("zero", 0), ("empty", ""), ("no", False)]:
                await state.set("falsy", key, falsy)
                assert await state.get("falsy", key) == falsy
            assert await state.get_group("users") == await state.getGroup("users") == [{"name": "Zoë"}] * 2
            assert type(await state.delete("users", "8")) is dict
            assert await state.delete("users", "8") is None
            await state.clear("users")
            assert await state.get_group("users") == []
            values = await asyncio.gather(*[state.set("many", str(n), n) for n in range(50)])
            assert values == list(range(50))

        assert await runs.event(handler) is None

    async def test_in_a_plain_function(self, runs: Runs) -> None:
        def handler(_: object, context: Any) -> None:
            state = context.state
            assert state.set("plain", "7", {"name": "Zoë"}) == {"name": "Zoë"}
            assert state.get("plain", "7").get("data")["name"] == "Zoë"
            assert state.get_group("plain") == [{"name": "Zoë"}]
            assert state.clear("plain") is None
            assert not state.get("plain", "7")

        assert await runs.event(handler) is None

    async def test_what_is_not_awaited_is_done_before_the_run_ends(self, runs: Runs) -> None:
        async def write(_: object, context: Any) -> None:
            for n in range(100):
                context.state.set("unawaited", str(n), n)

        async def read(_: object, context: Any) -> None:
            assert sorted(await context.state.get_group("unawaited")) == list(range(100))

        assert await runs.event(write) is None
        assert await runs.event(read) is None

    async def test_a_failure_of_what_is_not_awaited_fails_the_run_unless_it_was_seen(self, runs: Runs) -> None:
        async def unseen(_: object, context: Any) -> None:
            context.state.set("g", "k", {1, 2})

        async def seen(_: object, context: Any) -> None:
            with pytest.raises(Exception, match="set is not a JSON value"):
                await context.state.set("g", "k", {1, 2})

        error = await runs.event(unseen)
        assert error is not None
        assert (error.get("code"), error["message"]) == ("INVALID_VALUE", "set is not a JSON value")
        assert await runs.event(seen) is None

    @pytest.mark.parametrize("name", [None, ["a"], {"a": 1}, object()])
    async def test_names_are_texts(self, runs: Runs, name: object) -> None:
        async def handler(_: object, context: Any) -> None:
            context.state.get("g", name)

        error = await runs.event(handler)
        assert error is not None
        assert error["message"] == f"groups and keys of state are texts, not {type(name).__name__}"


class TestTheRest:
    async def test_what_the_context_says_of_the_run(self, runs: Runs) -> None:
        async def handler(_: object, context: Any) -> dict[str, Any]:
            context.user = 7  # of middleware
            logger, trace_id = context.logger, context.trace_id
            logger.warn("shipped", args={"id": context.user})
            return {"status": 200, "body": [trace_id, context.traceId, context.attempt, context.flows]}

        assert (await runs.api(handler)).json() == [TRACE_ID, TRACE_ID, 1, ["orders"]]
        (record,) = runs.records
        assert (record["step"], record["traceId"], record["id"]) == ("Order", TRACE_ID, 7)
        assert len(record["spanId"]) == 16

    async def test_streams_are_had_by_attribute_and_by_key_awaited_or_in_a_thread(self, runs: Runs) -> None:
        async def handler(_: object, context: Any) -> None:
            item = await context.streams.chat.set("room", "1", {"n": 1})
            assert await context.streams["chat"].get("room", "1") == item
            assert await context.streams.chat.update("room", "1", [{"type": "increment", "path": "n"}]) == {
                **item,
                "n": 2,
            }

        def plain_handler(_: object, context: Any) -> None:
            assert context.streams.chat.update("room", "1", lambda item: {**item, "n": item["n"] + 1})["n"] == 3
            assert [item["n"] for item in context.streams["chat"].get_group("room")] == [3]

        for one in (handler, plain_handler):
            assert await runs.event(one) is None

    @pytest.mark.parametrize("operation", ["get", "delete", "get_group"])
    async def test_a_stream_that_no_file_defines_is_refused_with_those_there_are(
        self, runs: Runs, operation: str
    ) -> None:
        async def handler(_: object, context: Any) -> None:
            stream = context.streams["chta"]
            await getattr(stream, operation)(*(["room"] if operation == "get_group" else ["room", "1"]))

        error = await runs.event(handler)
        assert error is not None
        assert error.get("code") == "INVALID_VALUE"
        assert error["message"] == 'there is no stream "chta": the project has chat'


class TestUpdate:
    async def test_functions_of_both_kinds_and_what_they_see(self, runs: Runs) -> None:
        seen: list[object] = []
        where: ContextVar[str] = ContextVar("where")

        async def later(current: Any) -> object:
            seen.append((current, where.get()))
            await asyncio.sleep(0)
            return {"n": 1}

        async def handler(_: object, context: Any) -> None:
            where.set("in the handler")
            assert await context.state.update("update", "k", later) == {"n": 1}
            assert await context.state.update("update", "k", seen.append) is None
            assert await context.state.get_group("update") == [None]

        assert await runs.event(handler) is None
        assert seen == [(None, "in the handler"), {"n": 1}]

    async def test_what_a_function_raises_is_raised_and_nothing_is_stored(self, runs: Runs) -> None:
        def handler(_: object, context: Any) -> None:
            with pytest.raises(ZeroDivisionError):
                context.state.update("raised", "k", lambda _: 1 / 0)
            with pytest.raises(MotiaError, match="a list of operations"):
                context.state.update("raised", "k", 7)
            assert context.state.get_group("raised") == []

        assert await runs.event(handler) is None

    async def test_a_run_that_is_given_up_meanwhile_changes_nothing(self, runs: Runs) -> None:
        async def give_up(_: object) -> int:
            assert runs.run is not None
            runs.run.fence("it took too long")
            raise RuntimeError("not the last word")

        async def handler(_: object, context: Any) -> None:
            results = await asyncio.gather(
                context.state.update("given up", "k", give_up),
                context.state.update("given up", "k", lambda _: 1),
                return_exceptions=True,
            )
            assert [getattr(result, "code", None) for result in results] == [None, "RUN_OVER"]

        assert await runs.event(handler) is None


class TestAfterTheEnd:
    async def test_a_run_that_was_given_up_is_refused_what_it_wants(
        self, runs: Runs, subscription: Subscription
    ) -> None:
        refused: list[str] = []

        async def handler(_: object, context: Any) -> None:
            assert runs.run is not None
            runs.run.fence("it took too long")
            for operation in (
                lambda: context.emit(topic=subscription.topic, data=1),
                lambda: context.state.set("fenced", "k", 1),
                lambda: context.state.get("fenced", "k"),
            ):
                with pytest.raises(Exception, match="this run is over: it took too long") as caught:
                    await operation()
                refused.append(getattr(caught.value, "code", ""))

        assert await runs.event(handler) is None
        assert refused == ["RUN_OVER"] * 3

    async def test_so_is_one_whose_lease_is_over(self, runs: Runs) -> None:
        def handler(_: object, context: Any) -> None:
            runs.leased = lambda: False
            context.state.set("fenced", "k", 1)

        runs.leased = lambda: True
        error = await runs.event(handler)
        assert error is None  # asked for at the start of the run, not at its creation
        error = await runs.event(handler)
        assert error is not None
        assert error.get("code") == "RUN_OVER"

    async def test_a_task_that_it_left_behind_goes_on(self, runs: Runs, subscription: Subscription) -> None:
        go = asyncio.Event()
        tasks: list[asyncio.Task[None]] = []

        async def later(context: Any) -> None:
            await go.wait()
            await context.emit(topic=subscription.topic, data="later")

        async def handler(_: object, context: Any) -> None:
            tasks.append(asyncio.create_task(later(context)))

        assert await runs.event(handler) is None
        go.set()
        await asyncio.gather(*tasks)
        assert await subscription.arrived(1) == ["later"]
