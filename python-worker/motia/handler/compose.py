"""Runs a handler inside its middleware, whichever of them are coroutine functions and which plain ones in threads."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, Future
from contextvars import copy_context
from typing import Any, TypeAlias

from .guards import blame
from .operation import finish_from_thread, is_on_loop

Function: TypeAlias = Callable[..., Any]
Call: TypeAlias = Callable[..., Awaitable[Any]]


def to_call(function: Function, executor: Executor) -> Call:
    """A handler as something to await: a plain function runs in a thread of the executor."""
    return function if is_coroutine_function(function) else functools.partial(_run_in_thread, executor, function)


def compose_middleware(middleware: Sequence[Function], handler: Function, executor: Executor) -> Call:
    """The first middleware is the outermost.

    One that returns without calling `next_fn` answers for the handler; one that returns nothing, or calls `next_fn`
    twice, fails the run.
    """
    if not middleware:
        return to_call(handler, executor)
    # A plain function that waits for the rest of the chain keeps its thread. Were the rest to wait for another one of
    # the same pool, runs could come to wait for each other.
    pools = [executor]
    for function in middleware:
        pools.append(pools[-1] if is_coroutine_function(function) else _THREAD_EACH)
    layer = _Layer(handler, pools.pop())
    for function in reversed(middleware):
        layer = _Middleware(function, pools.pop(), layer)
    return layer.run


def is_coroutine_function(function: Function) -> bool:
    """Also of objects that can be called, and of functions with some arguments filled in."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


class _Layer:
    """The handler."""

    def __init__(self, function: Function, executor: Executor) -> None:
        self._function = function
        self._call = to_call(function, executor)
        self.is_plain = not is_coroutine_function(function)

    async def run(self, req: Any, context: Any) -> Any:
        return await self._call(req, context)

    def run_here(self, req: Any, context: Any, loop: asyncio.AbstractEventLoop) -> Any:
        """Runs a plain function in the thread of its caller."""
        result = self._function(req, context)
        return finish_from_thread(_contain_exit(result), loop) if inspect.isawaitable(result) else result


class _Middleware(_Layer):
    """A middleware, and in it the rest of the chain."""

    def __init__(self, function: Function, executor: Executor, inner: _Layer) -> None:
        super().__init__(function, executor)
        self._inner = inner

    async def run(self, req: Any, context: Any) -> Any:
        next_fn = self._next(req, context, asyncio.get_running_loop())
        return _check(await self._call(req, context, next_fn))

    def run_here(self, req: Any, context: Any, loop: asyncio.AbstractEventLoop) -> Any:
        result = self._function(req, context, self._next(req, context, loop))
        return _check(finish_from_thread(_contain_exit(result), loop) if inspect.isawaitable(result) else result)

    def _next(self, req: Any, context: Any, loop: asyncio.AbstractEventLoop) -> Function:
        called = False

        def next_fn() -> Any:
            nonlocal called
            if called:
                raise RuntimeError("A middleware called next_fn() more than once.")
            called = True
            if is_on_loop():
                return self._inner.run(req, context)
            if self._inner.is_plain:
                return self._inner.run_here(req, context, loop)
            return finish_from_thread(_contain_exit(self._inner.run(req, context)), loop)

        return next_fn


def _check(response: Any) -> Any:
    if response is None:
        raise RuntimeError("A middleware returned no response: return the one of next_fn().")
    return response


async def _run_in_thread(executor: Executor, function: Function, *args: Any) -> Any:
    call = functools.partial(copy_context().run, _call, function, *args)
    result = await asyncio.get_running_loop().run_in_executor(executor, call)
    return await result if inspect.isawaitable(result) else result  # of a decorator that is no coroutine function


def _call(function: Function, *args: Any) -> Any:
    try:
        return function(*args)
    except StopIteration as error:  # it cannot cross from a thread to a coroutine
        raise RuntimeError("a function raised StopIteration") from error


async def _contain_exit(awaitable: Awaitable[Any]) -> Any:
    """In a task of its own, `SystemExit` would end the loop."""
    try:
        return await awaitable
    except SystemExit as error:
        raise blame(error) from error


class _ThreadEach(Executor):
    """Gives each call a thread of its own."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, daemon=True, name="motia-middleware").start()
        return future


_THREAD_EACH = _ThreadEach()
