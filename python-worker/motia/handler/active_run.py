"""One run while it is going on: who it is, whether it may still act, and what it has begun."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import MotiaError
from ..protocol.event_ids import event_content_id, numbered_id
from ..steps.load import LoadedStep
from ..tracing import Span
from .operation import Operation, finish_from_thread

if TYPE_CHECKING:
    from .body_stream import BodyStream

T = TypeVar("T")

_FEW_OPERATIONS = 64


class ActiveRun:
    """To be made on the event loop that the run belongs to.

    `message_id` is the identity of the message behind the run: the same when it runs again. `leased` tells whether that
    message is surely still with this worker; it may be asked from any thread. `enter` is called when its code goes on.
    """

    __slots__ = (
        "_emitted",
        "_enter",
        "_fenced",
        "_leased",
        "_loop",
        "_operations",
        "_prune_at",
        "attempt",
        "emits",
        "ended",
        "message_id",
        "span",
        "step",
        "stream",
    )

    def __init__(
        self,
        step: LoadedStep,
        message_id: str,
        attempt: int,
        span: Span,
        leased: Callable[[], bool],
        enter: Callable[[], None] = lambda: None,
    ) -> None:
        self.step = step
        self.message_id = message_id
        self.attempt = attempt
        self.span = span
        self.emits = 0
        """Events that it has emitted."""
        self.ended = False
        """Set when its handler has returned and all is settled: what code it left behind does needs no lease."""
        self.stream: BodyStream | None = None
        """Set when its answer is streamed."""
        self._leased = leased
        self._enter = enter
        self._loop = asyncio.get_running_loop()
        self._fenced: str | None = None
        self._operations: list[Operation[Any]] | None = None
        self._prune_at = _FEW_OPERATIONS
        self._emitted: dict[str, int] | None = None

    @property
    def identity(self) -> dict[str, object]:
        """What records of the log say of it."""
        entry = self.step.entry
        identity = {"step": entry["name"], "traceId": self.span.trace_id, "spanId": self.span.span_id}
        return {**identity, "flows": entry["flows"]} if entry.get("flows") else identity

    def fence(self, reason: str) -> None:
        """Nobody waits any more: later operations of the run are refused."""
        if self._fenced is None:
            self._fenced = reason

    @property
    def is_fenced(self) -> bool:
        return self._fenced is not None

    def enter(self) -> None:
        """Code of this run goes on: it is known who has the process."""
        self._enter()

    def assert_may_act(self) -> None:
        """To be called before the run acts on the world.

        Raises `MotiaError` `RUN_OVER` if the run was given up, or its message may be with another worker by now.
        """
        if self._fenced is None and not self.ended and not self._leased():
            self.fence("its event may be with another worker by now")
        if self._fenced is not None:
            raise MotiaError("RUN_OVER", f"this run is over: {self._fenced}")

    def begin(self, operation: Coroutine[Any, Any, T]) -> Any:
        """Begins an operation on the world, which is done before the run ends.

        Gives code on the run's loop something to await, or not, and a plain function in a thread the result.
        """
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if not is_here:
            return finish_from_thread(operation, self._loop)
        begun = Operation(self._loop.create_task(operation))
        if self._operations is None:
            self._operations = []
        elif len(self._operations) >= self._prune_at:
            self._operations = [earlier for earlier in self._operations if not earlier.settled]
            self._prune_at = max(_FEW_OPERATIONS, 2 * len(self._operations))
        self._operations.append(begun)
        return begun

    def event_id(self, topic: str, json: bytes) -> str:
        """The id of an event that this run emits: the same when the run is had again and emits the same.

        So the broker stores it once. It is not made of the place in the order of emits: an attempt that takes another
        branch would lose an event to that.
        """
        content_id = event_content_id(self.message_id, self.step.entry["id"], topic, json)
        if self._emitted is None:
            self._emitted = {}
        before = self._emitted.get(content_id, 0)
        self._emitted[content_id] = before + 1
        return numbered_id(content_id, before)

    @property
    def has_operations(self) -> bool:
        """Whether there is anything to settle."""
        return self._operations is not None

    async def settle(self) -> None:
        """Returns when all that the run has begun is done. Raises the error of an operation that nobody has awaited."""
        while self._operations:
            await self._operations.pop().settle()

    def abandon(self) -> None:
        """The run has failed: how its operations end is nobody's business any more."""
        for operation in self._operations or ():
            operation.abandon()
        self._operations = None


current_run: ContextVar[ActiveRun | None] = ContextVar("current_run", default=None)
"""The run that the code being executed belongs to."""


_layer_span: ContextVar[Span | None] = ContextVar("layer_span", default=None)
"""The span of the middleware or handler that the code being executed belongs to, if these have spans of their own."""


on_enter: Callable[[ActiveRun], None] | None = None
"""Called, in its context, when a run begins. Set by what makes spans of user code."""
enter_span: Callable[[Span], Callable[[], object]] | None = None
"""Called, in its context, when a part of a run begins that has a span of its own. Set by the same.

Gives what is to be called at the end of that part."""
cause_within: Callable[[ActiveRun], str | None] | None = None
"""Gives the `traceparent` of the user's span that the code of a run is in. Set by the same."""


def enter_run(run: ActiveRun) -> None:
    """From here on, the code being executed belongs to the run."""
    current_run.set(run)
    if on_enter is not None:
        on_enter(run)


@contextmanager
def within_span(span: Span) -> Iterator[None]:
    """What happens in it is caused by the span."""
    before = _layer_span.get()
    _layer_span.set(span)
    leave = None if enter_span is None else enter_span(span)
    try:
        yield
    finally:  # not by tokens: a coroutine may be closed in another context
        _layer_span.set(before)
        if leave is not None:
            leave()


def cause_of(run: ActiveRun) -> str:
    """What the operations of a run are caused by: the run, its middleware, or the user's span that its code is in."""
    within = None if cause_within is None else cause_within(run)
    if within is None:
        layer = _layer_span.get()
        within = layer.traceparent if layer is not None and layer.trace_id == run.span.trace_id else None
    return run.span.traceparent if within is None else within
