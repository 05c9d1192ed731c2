"""Spans around the middleware of an API step and its handler, each below the one that calls it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..tracing import Span, Tracing
from .active_run import cause_of, current_run, within_span
from .compose import Function, is_coroutine_function


def trace_middleware(middleware: Sequence[Function], tracing: Tracing) -> list[Function]:
    """The same middleware, each in a span of its own."""
    return [_trace_layer(layer, _name_of(layer, number), tracing) for number, layer in enumerate(middleware, 1)]


def trace_handler(handler: Function, tracing: Tracing) -> Function:
    """The same handler, in a span of its own."""
    return _trace_layer(handler, "handler", tracing)


def _name_of(layer: Function, number: int) -> str:
    name = getattr(layer, "__name__", "<lambda>")
    return f"middleware {number}" if name == "<lambda>" else name


def _trace_layer(layer: Function, name: str, tracing: Tracing) -> Function:
    """A coroutine function becomes one, and a plain function a plain one: those have threads."""

    def start() -> Span | None:
        run = current_run.get()
        return tracing.start_span(name, cause_of(run)) if run else None  # otherwise it is not known who calls

    async def run_coroutine(*args: Any) -> Any:
        return await _finish(start(), layer(*args))

    def run_plain(*args: Any) -> Any:
        span = start()
        with _within(span):
            result = layer(*args)
        if inspect.isawaitable(result):  # of a decorator that is no coroutine function
            return _finish(span, result)
        if span:
            span.end()
        return result

    return run_coroutine if is_coroutine_function(layer) else run_plain


async def _finish(span: Span | None, awaitable: Awaitable[Any]) -> Any:
    with _within(span):
        result = await awaitable
    if span:
        span.end()
    return result


@contextmanager
def _within(span: Span | None) -> Iterator[None]:
    """What happens in it is below the span, which ends if it fails."""
    if span is None:
        yield
        return
    try:
        with within_span(span):
            yield
    except BaseException as error:
        span.fail(error)
        span.end()
        raise
