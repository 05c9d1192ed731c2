"""What all operations of handlers on stored values have in common."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from typing import Any, Literal, TypeVar

from ..broker.state import ValueChange
from ..errors import MotiaError
from ..tracing import Tracing, traced
from ..update_operations import apply_operations
from .active_run import ActiveRun, cause_of

T = TypeVar("T")


def perform(
    run: ActiveRun,
    tracing: Tracing,
    area: Literal["state", "stream"],
    name: str,
    attributes: dict[str, str],
    operation: Callable[[], Awaitable[T]],
) -> Any:
    """Has an operation done for a run, if that may act, in a span of its own: `state.get`."""
    run.assert_may_act()
    return run.begin(_perform(run, tracing, f"{area}.{name}", {"db.operation.name": name, **attributes}, operation))


async def _perform(
    run: ActiveRun, tracing: Tracing, name: str, attributes: dict[str, str], operation: Callable[[], Awaitable[T]]
) -> T:
    if not run.span.recorded:
        return await operation()
    span = tracing.start_span(name, cause_of(run), "client", {"db.system.name": "nats", **attributes})
    return await traced(span, lambda _: operation())


def to_name(value: object, what: str) -> str:
    """Groups, keys and ids are texts; a number is taken as its text, anything else is a mistake of the caller's."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise MotiaError("INVALID_VALUE", f"{what} are texts, not {type(value).__name__}")


def to_value_change(run: ActiveRun, change: object) -> ValueChange:
    """What `update` was given, as a function that belongs to the run.

    It is called on behalf of other runs as well, and when the run may have been given up.
    """
    if isinstance(change, (list, tuple)):
        return lambda current: _apply(run, current, change)
    if not callable(change):
        message = "update() needs a function that makes the new value, or a list of operations"
        raise MotiaError("INVALID_VALUE", message)
    context = copy_context()

    async def make(current: Any) -> object:
        run.assert_may_act()
        run.enter()
        made = context.run(change, current)
        return await context.run(asyncio.ensure_future, made) if inspect.isawaitable(made) else made

    return make


async def _apply(run: ActiveRun, current: Any, operations: Iterable[object]) -> object:
    run.assert_may_act()
    return apply_operations(current, operations)
