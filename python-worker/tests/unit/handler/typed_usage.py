"""Right and wrong uses of the public types, for pyright: it must find an error where it is told to ignore one."""

# pyright: reportUnnecessaryTypeIgnoreComment=true, reportUnusedCoroutine=true
# ruff: noqa: PLE1205  # fields may follow a logger's message

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypedDict

from pydantic import BaseModel

from motia import (
    ApiMiddleware,
    ApiRequest,
    ApiResponse,
    ApiRouteConfig,
    ApiRouteHandler,
    CanAccess,
    CronConfig,
    CronHandler,
    EventConfig,
    EventHandler,
    FlowContext,
    MotiaError,
    NonRetriableError,
    NoopConfig,
    RevisionConflictError,
    StreamConfig,
    StreamSubscription,
    SyncFlowContext,
    SyncNext,
)
from motia.handler.context import Context


class Order(BaseModel):
    id: int


class OrderBody(TypedDict):
    id: int


# --- Middleware and handlers, typed and untyped


async def untyped_middleware(req, context, next_fn):
    if not req.get("headers", {}).get("authorization"):
        return {"status": 401, "body": {"error": "who are you?"}}
    return await next_fn()


async def typed_middleware(
    req: ApiRequest[Any], context: FlowContext, next_fn: Callable[[], Awaitable[ApiResponse]]
) -> ApiResponse:
    req["user"] = {"id": 7}
    response = await next_fn()
    return {**response, "headers": {"x-a": "1", "set-cookie": ["a=1", "b=2"]}}


def plain_middleware(req: dict[str, Any], context: SyncFlowContext, next_fn: SyncNext) -> dict[str, Any]:
    return next_fn()


async def two_arguments(req: ApiRequest[Any], context: FlowContext) -> ApiResponse:
    return {"status": 200}


async def untyped_handler(req, context):
    await context.emit({"topic": "order.created", "data": req["body"]})
    return {"status": 200, "body": {"ok": True}}


async def typed_handler(req: ApiRequest[OrderBody], context: FlowContext) -> ApiResponse:
    order = req.body["id"] + req["body"]["id"]
    await context.emit({"topic": "order.created", "data": order, "messageGroupId": req.path_params["id"]})
    await context.emit(topic="order.created", data={"id": order})
    context.logger.info("ordered", {"id": order}, by=context.trace_id, exc_info=True)
    context.logger.info("ordered", args={"id": order})
    stored = await context.state.get("orders", "7")
    if not stored or stored.get("data") is None:
        raise NonRetriableError("no order")
    await context.state.set("orders", context.traceId, {"id": order})
    await asyncio.gather(context.state.delete("orders", "7"), context.state.clear("orders"))
    task = asyncio.create_task(context.emit(topic="order.created"))
    await task
    items = await context.state.get_group("orders")
    await context.streams.chat.set("room", "1", {"text": "hi"})
    await context.streams["chat"].get_group("room")
    await context.state.update("orders", "count", lambda count: (count or 0) + 1)
    await context.state.update(
        "orders", "7", [{"type": "increment", "path": "n", "by": 2}, {"type": "remove", "path": "x"}]
    )
    entry = await context.state.get_entry("orders", "7")
    revision = entry["revision"] if entry else 0
    try:
        await context.state.set("orders", "7", items, ttl=60, if_revision=revision)
    except RevisionConflictError as conflict:
        revision = conflict.revision + 1
    page = await context.state.get_group_page("orders", limit=10, after="7")
    keys = [item["key"] for item in page["items"]]
    groups = await context.state.list_groups(after=page.get("next"))
    keys += [one["group"] for one in groups["items"]]
    await context.streams.chat.update("room", "1", [{"type": "merge", "value": {"text": "ho"}}])
    return {"status": 200, "headers": {"x-count": len(items)}, "body": [*context.flows, str(context.attempt)]}


def plain_handler(req: ApiRequest[Any], context: SyncFlowContext) -> ApiResponse:
    context.emit({"topic": "order.created", "data": context.state.get("orders", "7")["id"]})
    context.streams.chat.set("room", "1", {"text": context.state.update("g", "k", [{"type": "set", "value": 1}])})
    return {"status": 204}


async def on_order(order: OrderBody, context: FlowContext) -> None:
    logging.getLogger(__name__).info(order["id"])


def on_order_in_a_thread(order, context) -> None: ...


async def every_minute(context: FlowContext) -> None: ...


# --- Right


def given(context: Context) -> tuple[FlowContext, SyncFlowContext]:
    return context, context


api: ApiRouteConfig = {
    "type": "api",
    "name": "Order",
    "description": "Takes orders",
    "path": "/orders/:id",
    "method": "POST",
    "emits": ["order.created", {"topic": "order.failed", "label": "Failed", "conditional": True}],
    "flows": ["orders"],
    "middleware": [untyped_middleware, typed_middleware, plain_middleware],
    "bodySchema": Order,
    "responseSchema": {200: Order, 404: {"type": "object"}},
    "queryParams": [{"name": "page", "description": "Which page"}],
    "virtualSubscribes": ["order.requested"],
}
with_json_schema: ApiRouteConfig = {
    "type": "api",
    "name": "Order",
    "path": "/orders",
    "method": "GET",
    "emits": [],
    "bodySchema": Order.model_json_schema(),
}
event: EventConfig = {
    "type": "event",
    "name": "Ship",
    "subscribes": ["order.created"],
    "emits": [],
    "input": None,
    "infrastructure": {
        "handler": {"timeout": 30},
        "queue": {
            "type": "fifo",
            "maxRetries": 3,
            "concurrency": 2,
            "backoff": {"initial": 1, "factor": 3},
            "rateLimit": {"limit": 10, "per": 60},
            "deadLetter": False,
        },
    },
}
cron: CronConfig = {"type": "cron", "name": "Tick", "cron": "* * * * *", "emits": []}
noop: NoopConfig = {"type": "noop", "name": "Gate", "virtualEmits": ["a"], "virtualSubscribes": []}
stream: StreamConfig = {"name": "chat", "schema": Order, "baseConfig": {"storageType": "default"}}


def own_items(subscription: StreamSubscription, user: Any) -> bool:
    return user is not None and subscription.get("id") == user["id"]


async def any_group(subscription: StreamSubscription, user: Any) -> bool:
    return "id" not in subscription and subscription["groupId"] != ""


guards: list[CanAccess] = [own_items, any_group, lambda subscription, user: True]
stream["canAccess"] = own_items
stream["can_access"] = any_group

handlers: list[ApiRouteHandler] = [untyped_handler, typed_handler, plain_handler, two_arguments]
middleware: list[ApiMiddleware] = [untyped_middleware, typed_middleware, plain_middleware]
event_handlers: list[EventHandler] = [on_order, on_order_in_a_thread]
cron_handler: CronHandler = every_minute

try:
    raise MotiaError("INVALID_VALUE", "x")
except MotiaError as error:
    assert error.code == "INVALID_VALUE"

# --- Wrong

no_path: ApiRouteConfig = {"type": "api", "name": "x", "method": "GET", "emits": []}  # pyright: ignore
kind: EventConfig = {"type": "api", "name": "x", "subscribes": [], "emits": []}  # pyright: ignore
misspelt: CronConfig = {"type": "cron", "name": "x", "crno": "* * * * *", "emits": []}  # pyright: ignore
api["method"] = "FETCH"  # pyright: ignore
api["middleware"] = [two_arguments]  # pyright: ignore
api["bodySchema"] = int  # pyright: ignore
stream["canAccess"] = two_arguments  # pyright: ignore
event["infrastructure"] = {"queue": {"type": "lifo"}}  # pyright: ignore


async def wrong(req: ApiRequest[OrderBody], context: FlowContext) -> ApiResponse:
    context.emit({"topic": "t", "data": 1})  # pyright: ignore
    await context.emit({"data": 1})  # pyright: ignore
    await context.emit({"topic": "t", "data": 1, "group": "g"})  # pyright: ignore
    await context.state.get("orders")  # pyright: ignore
    await context.state.fetch("orders", "7")  # pyright: ignore
    await context.state.update("orders", "7", [{"type": "append", "value": 1}])  # pyright: ignore
    await context.state.update("orders", "7", 1)  # pyright: ignore
    await context.state.set("orders", "7", 1, {"ttl": 60})  # pyright: ignore
    await context.state.set("orders", "7", 1, ttl="60")  # pyright: ignore
    (await context.state.get_entry("orders", "7"))["value"]  # pyright: ignore
    context.loger.info("x")  # pyright: ignore
    context.logger.info()  # pyright: ignore
    req.boddy  # pyright: ignore  # noqa: B018
    req.body["name"]  # pyright: ignore
    return {"body": 1}  # pyright: ignore


def wrong_in_a_thread(context: SyncFlowContext) -> None:
    context.state.get("orders", "7").then()
    context.state.get_group("orders").then()  # pyright: ignore
    context.state.get_group_page("orders").then()  # pyright: ignore
