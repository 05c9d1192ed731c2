"""API and event runs from the bytes that come in to the bytes that go out, whatever handlers do."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from motia.broker.blobs import BlobStore
from motia.broker.connect import Broker
from motia.errors import MotiaError, NonRetriableError
from motia.protocol.subjects import Names
from tests.integration.handler.conftest import TRACE_ID, Runs


class Order(BaseModel):
    id: int


class Failure(Exception):
    code = "E_MINE"


async def echo(req: Any, context: Any) -> dict[str, Any]:
    return {"status": 201, "headers": {"x-a": "1"}, "body": req["body"]}


def plain_echo(req: Any, context: Any) -> dict[str, Any]:
    return {"status": 201, "headers": {"x-a": "1"}, "body": req.body}


class TestApi:
    @pytest.mark.parametrize("handler", [echo, plain_echo])
    async def test_answers(self, runs: Runs, handler: Callable[..., Any]) -> None:
        reply = await runs.api(handler, b'{"n":1}')
        assert (reply.status, reply.json(), reply.headers["x-a"]) == (201, {"n": 1}, "1")
        assert runs.records == []

    async def test_middleware_is_around_the_handler(self, runs: Runs) -> None:
        async def outer(req: Any, context: Any, next_fn: Any) -> Any:
            req.user = "u"
            response = await next_fn()
            return {**response, "headers": {"x-b": req["seen"]}}

        def inner(req: Any, context: Any, next_fn: Any) -> Any:
            req["seen"] = f"{req.user}!"
            context.state.set("seen", "by", "inner")
            return next_fn()

        reply = await runs.api(echo, middleware=[outer, inner])
        assert (reply.status, reply.headers["x-b"]) == (201, "u!")

    async def test_what_cannot_be_parsed_is_refused(self, runs: Runs) -> None:
        reply = await runs.api(echo, b"{")
        assert reply.status == 400
        assert reply.json()["error"].startswith("Body is not valid JSON: ")
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        runs.with_settings(body_limit=1)
        assert (await runs.api(echo, b"{}")).status == 413
        assert runs.records == []

    @pytest.mark.parametrize("schema", [Order, Order.model_json_schema()])
    async def test_a_body_that_does_not_fit_its_schema(self, runs: Runs, schema: object) -> None:
        reply = await runs.api(echo, b'{"id":"x"}', bodySchema=schema)
        assert reply.status == 201
        (record,) = runs.records
        assert (record["level"], record["action"], record["traceId"]) == ("warn", "body_invalid", TRACE_ID)
        assert record["msg"] == "The body of POST /orders does not fit its bodySchema"
        assert record["issues"][0]["path"] == "id"
        runs.records.clear()

        runs.with_settings(validation="enforce")
        reply = await runs.api(echo, b'{"id":"x"}', bodySchema=schema)
        assert reply.status == 400
        assert reply.json()["error"] == "The request body is not valid"
        assert [issue["path"] for issue in reply.json()["issues"]] == ["id"]
        assert (await runs.api(echo, b'{"id":7}', bodySchema=schema)).json() == {"id": 7}

        runs.with_settings(validation="ignore")
        assert (await runs.api(echo, b'{"id":"x"}', bodySchema=schema)).status == 201
        assert runs.records == []

    @pytest.mark.parametrize(
        ("thrown", "name", "message"),
        [
            (ValueError("secret"), "ValueError", "secret"),
            (KeyError("k"), "KeyError", "'k'"),
            (SystemExit(3), "MotiaError", "the handler called sys.exit(3)"),
            (asyncio.CancelledError(), "MotiaError", "the handler was cancelled"),
            (KeyboardInterrupt(), "KeyboardInterrupt", ""),
            (StopIteration(), "RuntimeError", None),
            (None, "InvalidResponse", "The handler returned None, not a response."),
        ],
    )
    @pytest.mark.parametrize("plain", [False, True])
    async def test_a_failure_is_told_to_the_log_and_not_to_the_client(
        self, runs: Runs, thrown: BaseException | None, name: str, message: str | None, plain: bool
    ) -> None:
        async def handler(req: Any, context: Any) -> None:
            if thrown:
                raise thrown

        def plain_handler(req: Any, context: Any) -> None:
            if thrown:
                raise thrown

        reply = await asyncio.wait_for(runs.api(plain_handler if plain else handler), 5)
        (record,) = runs.records
        assert reply.status == 500
        assert reply.json() == {"error": "Internal server error", "errorId": record["errorId"]}
        assert (record["level"], record["action"], record["step"]) == ("error", "request_failed", "Order")
        assert (record["traceId"], len(record["spanId"])) == (TRACE_ID, 16)
        assert record["err"]["name"] == name
        if message is not None:
            assert record["err"]["message"] == message
            assert record["msg"] == f"Order failed: {message}"
        if isinstance(thrown, ValueError):
            assert "in plain_handler" in record["err"]["stack"] or "in handler" in record["err"]["stack"]

    async def test_sys_exit_below_a_plain_middleware_ends_its_run_only(self, runs: Runs) -> None:
        async def handler(req: Any, context: Any) -> None:
            sys.exit(3)

        reply = await asyncio.wait_for(runs.api(handler, middleware=[lambda _req, _context, next_fn: next_fn()]), 5)
        assert reply.status == 500
        assert runs.records[0]["err"]["message"] == "the handler called sys.exit(3)"

    async def test_an_unawaited_failure_fails_the_call(self, runs: Runs) -> None:
        async def handler(req: Any, context: Any) -> dict[str, int]:
            context.state.set("g", "k", {1})
            return {"status": 200}

        assert (await runs.api(handler)).status == 500
        assert runs.records[0]["err"]["code"] == "INVALID_VALUE"

    async def test_a_run_that_was_given_up_and_cancelled_is_no_failure(self, runs: Runs) -> None:
        started = asyncio.Event()

        async def handler(req: Any, context: Any) -> None:
            started.set()
            await asyncio.Event().wait()

        call = asyncio.create_task(runs.api(handler))
        await started.wait()
        assert runs.run is not None
        runs.run.fence("the client is gone")
        call.cancel()
        assert (await call).status == 500
        assert runs.records == []

    async def test_large_bodies_go_through_the_object_store(self, runs: Runs, broker: Broker, names: Names) -> None:
        bodies = BlobStore(broker, names.buckets.bodies)
        body = orjson.dumps(["x" * 1024] * 9000)
        reply = await runs.api(echo, b"", {"blob": await bodies.put(body)})
        assert reply.body == b""
        assert reply.blob is not None
        assert await bodies.get(reply.blob) == body
        medium = await runs.api(echo, orjson.dumps(["x" * 1024] * 1000))
        assert medium.blob is None
        assert len(medium.json()) == 1000

    async def test_a_request_whose_body_is_gone_fails(self, runs: Runs) -> None:
        assert (await runs.api(echo, b"", {"blob": "no-such-object"})).status == 500

    async def test_blocking_handlers_stall_nobody(self, runs: Runs) -> None:
        released = threading.Event()

        def blocking(req: Any, context: Any) -> dict[str, int]:
            released.wait(30)
            return {"status": 200}

        blocked = asyncio.create_task(runs.api(blocking))
        assert (await runs.api(echo)).status == 201
        assert not blocked.done()
        released.set()
        assert (await blocked).status == 200


class TestEvents:
    @pytest.mark.parametrize(
        ("payload", "value"),
        [
            (b'{"id":7}', {"id": 7}),
            (b"[1]", [1]),
            (b'"text"', "text"),
            (b"null", None),
            (b"", None),
            (b"123456789012345678901234567890", 123456789012345678901234567890),
        ],
    )
    async def test_the_handler_gets_the_payload(self, runs: Runs, payload: bytes, value: object) -> None:
        got: list[object] = []

        async def handler(data: object, context: Any) -> str:
            got.append(data)
            return "ignored"

        def plain_handler(data: object, context: Any) -> None:
            got.append(data)

        assert await runs.event(handler, payload) is None
        assert await runs.event(plain_handler, payload) is None
        assert got == [value, value]

    async def test_a_payload_that_is_no_json_can_never_be_handled(self, runs: Runs) -> None:
        error = await runs.event(echo, b"{")
        assert error is not None
        assert error.get("nonRetriable") is True
        assert error["message"].startswith("the event's payload is not JSON: ")

    async def test_a_payload_that_does_not_fit_is_told_and_handled_as_it_is(self, runs: Runs) -> None:
        got: list[object] = []

        async def handler(data: object, context: Any) -> None:
            got.append(data)

        assert await runs.event(handler, b'{"id":"x"}', input=Order) is None
        assert got == [{"id": "x"}]
        (record,) = runs.records
        assert (record["level"], record["action"]) == ("warn", "input_invalid")
        assert record["issues"][0]["path"] == "id"

    @pytest.mark.parametrize(
        ("thrown", "expected"),
        [
            (Failure("x"), {"name": "Failure", "message": "x", "code": "E_MINE"}),
            (NonRetriableError("x"), {"name": "NonRetriableError", "message": "x", "nonRetriable": True}),
            (SystemExit(3), {"message": "the handler called sys.exit(3)", "code": "RUN_CUT_OFF"}),
            (MotiaError("STORE_FULL", "x"), {"name": "MotiaError", "message": "x", "code": "STORE_FULL"}),
        ],
    )
    async def test_a_failure_is_reported(self, runs: Runs, thrown: BaseException, expected: dict[str, Any]) -> None:
        async def handler(data: object, context: Any) -> None:
            raise thrown

        def plain_handler(data: object, context: Any) -> None:
            raise thrown

        for one in (handler, plain_handler):
            error = await runs.event(one)
            assert error is not None
            assert {key: value for key, value in error.items() if key in expected} == expected
            assert "Traceback" in error.get("stack", "")
        assert runs.records == []
