"""Middleware around a handler, in every mixture of coroutine functions and plain ones in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from itertools import product
from typing import Any

import pytest

from motia.handler.compose import compose_middleware, to_call

Req = list[str]


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """One thread: whoever waits in it for another one waits for ever."""
    with ThreadPoolExecutor(1, thread_name_prefix="pool") as executor:
        yield executor


def async_middleware(name: str) -> Callable[..., Any]:
    async def middleware(req: Req, context: str, next_fn: Any) -> str:
        req.append(f"{name} in")
        response = await next_fn()
        req.append(f"{name} out")
        return f"{name}({response})"

    return middleware


def plain_middleware(name: str) -> Callable[..., Any]:
    def middleware(req: Req, context: str, next_fn: Any) -> str:
        assert threading.current_thread() is not threading.main_thread()
        req.append(f"{name} in")
        response = next_fn()
        req.append(f"{name} out")
        return f"{name}({response})"

    return middleware


async def async_handler(req: Req, context: str) -> str:
    req.append(f"handler {context}")
    await asyncio.sleep(0)
    return "done"


def plain_handler(req: Req, context: str) -> str:
    assert threading.current_thread() is not threading.main_thread()
    req.append(f"handler {context}")
    return "done"


@pytest.mark.parametrize(
    ("a", "b", "c", "handler"),
    list(product(*[[async_middleware, plain_middleware]] * 3, [async_handler, plain_handler])),
)
async def test_the_first_middleware_is_the_outermost(
    executor: ThreadPoolExecutor, a: Any, b: Any, c: Any, handler: Any
) -> None:
    req: Req = []
    call = compose_middleware([a("a"), b("b"), c("c")], handler, executor)
    assert await asyncio.wait_for(call(req, "ctx"), 5) == "a(b(c(done)))"
    assert req == ["a in", "b in", "c in", "handler ctx", "c out", "b out", "a out"]


async def test_many_plain_chains_at_a_time_do_not_wait_for_each_other(executor: ThreadPoolExecutor) -> None:
    call = compose_middleware(
        [plain_middleware("a"), async_middleware("b"), plain_middleware("c")], plain_handler, executor
    )
    results = await asyncio.wait_for(asyncio.gather(*[call([], "ctx") for _ in range(20)]), 5)
    assert results == ["a(b(c(done)))"] * 20


@pytest.mark.parametrize("middleware", [async_middleware, plain_middleware])
@pytest.mark.parametrize("handler", [async_handler, plain_handler])
async def test_next_cannot_be_called_twice_yet_every_run_starts_anew(
    executor: ThreadPoolExecutor, middleware: Any, handler: Any
) -> None:
    async def async_twice(req: Req, context: str, next_fn: Any) -> str:
        return await next_fn() + await next_fn()

    def plain_twice(req: Req, context: str, next_fn: Any) -> str:
        return next_fn() + next_fn()

    twice = async_twice if middleware is async_middleware else plain_twice
    call = compose_middleware([twice], handler, executor)
    for _ in range(2):
        req: Req = []
        with pytest.raises(RuntimeError, match=r"next_fn\(\) more than once"):
            await call(req, "ctx")
        assert req == ["handler ctx"]


async def test_a_middleware_that_returns_without_next_answers_for_the_handler(executor: ThreadPoolExecutor) -> None:
    req: Req = []
    call = compose_middleware([async_middleware("a"), lambda *_: "stop"], async_handler, executor)
    assert await call(req, "ctx") == "a(stop)"
    assert req == ["a in", "a out"]


async def test_a_middleware_can_handle_what_the_handler_raises(executor: ThreadPoolExecutor) -> None:
    def failing(*_: object) -> None:
        raise ValueError("it")

    async def async_failing(*_: object) -> None:
        raise ValueError("it")

    async def rescue(req: Req, context: str, next_fn: Any) -> str:
        try:
            return await next_fn()
        except ValueError as error:
            return f"caught {error}"

    def plain_rescue(req: Req, context: str, next_fn: Any) -> str:
        try:
            return next_fn()
        except ValueError as error:
            return f"caught {error}"

    for middleware, handler in product([rescue, plain_rescue], [failing, async_failing]):
        assert await compose_middleware([middleware], handler, executor)([], "ctx") == "caught it"


async def test_a_middleware_that_forgets_to_return_fails_and_says_so(executor: ThreadPoolExecutor) -> None:
    async def forgetful(req: Req, context: str, next_fn: Any) -> None:
        await next_fn()

    def plain_forgetful(req: Req, context: str, next_fn: Any) -> None:
        next_fn()

    for middleware in ([forgetful], [plain_forgetful], [plain_middleware("a"), plain_forgetful]):
        with pytest.raises(RuntimeError, match="returned no response"):
            await compose_middleware(middleware, plain_handler, executor)([], "ctx")


class AsyncObject:
    async def __call__(self, req: Req, context: str) -> str:
        assert threading.current_thread() is threading.main_thread()
        return "object"


class TestWhatCountsAsAHandler:
    async def test_an_object_with_an_async_call_runs_on_the_loop(self, executor: ThreadPoolExecutor) -> None:
        assert await to_call(AsyncObject(), executor)([], "ctx") == "object"

    async def test_what_a_plain_function_returns_is_awaited_if_it_can_be(self, executor: ThreadPoolExecutor) -> None:
        """Such as the wrapper of a decorator that knows nothing of coroutines."""

        def wrapper(*args: Any) -> Any:
            return async_handler(*args)

        def middleware(*args: Any) -> Any:
            return async_middleware("a")(*args)

        assert await to_call(wrapper, executor)([], "ctx") == "done"
        chain = [plain_middleware("p"), middleware, plain_middleware("q")]
        assert await compose_middleware(chain, wrapper, executor)([], "ctx") == "p(a(q(done)))"

    async def test_context_variables_reach_the_thread(self, executor: ThreadPoolExecutor) -> None:
        variable: ContextVar[int] = ContextVar("variable", default=0)
        variable.set(7)
        assert await to_call(variable.get, executor)() == 7

    @pytest.mark.parametrize("error", [StopIteration("x"), KeyError("x")])
    async def test_whatever_it_raises_arrives(self, executor: ThreadPoolExecutor, error: Exception) -> None:
        def failing() -> None:
            raise error

        expected = RuntimeError if isinstance(error, StopIteration) else type(error)
        with pytest.raises(expected):
            await asyncio.wait_for(to_call(failing, executor)(), 5)
