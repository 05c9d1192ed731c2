"""The context that a handler receives; its contract is `FlowContext` in `motia/types.py`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..broker.events import NewEvent
from ..errors import MotiaError
from ..json_values import to_json
from ..longest_wait import LONGEST_WAIT_S
from ..protocol.event_ids import given_message_id
from ..recorded_span import RecordedSpan
from ..tracing import traced
from .active_run import ActiveRun, cause_of
from .logger import RunLogger
from .perform import to_name
from .services import Services
from .state import State
from .streams import Streams

# It goes into a header, which has a limit.
_LONGEST_GROUP: Final = 1_024


class Context:
    """The context of one run. Handlers take it apart and pass the parts on; middleware may add attributes."""

    def __init__(self, run: ActiveRun, services: Services) -> None:
        self._run = run
        self._services = services
        self._logger: RunLogger | None = None
        self._state: State | None = None

    @property
    def trace_id(self) -> str:
        return self._run.span.trace_id

    traceId = trace_id  # its name in the other languages

    @property
    def attempt(self) -> int:
        return self._run.attempt

    @property
    def flows(self) -> list[str]:
        return list(self._run.step.entry["flows"])

    @property
    def streams(self) -> Streams:
        return Streams(self._run, self._services)

    @property
    def logger(self) -> RunLogger:
        if self._logger is None:
            self._logger = RunLogger(self._services.log, self._run.identity)
        return self._logger

    @property
    def state(self) -> State:
        if self._state is None:
            self._state = State(self._run, self._services)
        return self._state

    def emit(
        self,
        event: Mapping[str, Any] | None = None,
        /,
        *,
        topic: object = None,
        data: object = None,
        message_group_id: str | None = None,
        messageGroupId: str | None = None,  # its name in an event
        delay: object = None,
        id: object = None,
    ) -> Any:
        """The event, or its parts by name. Nothing to await in a plain function."""
        run = self._run
        run.assert_may_act()
        group = messageGroupId if message_group_id is None else message_group_id
        if isinstance(event, Mapping):
            topic, data, group = event.get("topic"), event.get("data"), event.get("messageGroupId")
            delay, id = event.get("delay"), event.get("id")
        if not isinstance(topic, str):
            raise MotiaError("INVALID_VALUE", 'emit() needs a dict {"topic": ..., "data": ...} with a text as topic')
        declared = run.step.entry["emits"]
        if declared and not any(emit["topic"] == topic for emit in declared):
            self._tell_undeclared(topic)
            return run.begin(_nothing())
        run.emits += 1
        json = to_json(data)  # now, since the handler may change it before it is sent
        at, group = delivery_time(delay), _to_group(group)
        message_id = _to_message_id(topic, id)
        new_event = NewEvent(run.event_id(topic, json), topic, json, "", group=group, message_id=message_id, at=at)
        return run.begin(self._emit(new_event))

    async def _emit(self, event: NewEvent) -> None:
        parent = cause_of(self._run)

        async def send(traceparent: str) -> None:
            await (await self._services.events()).emit(replace(event, traceparent=traceparent))

        tracing = self._services.tracing
        if not self._run.span.recorded:
            await send(parent)
            return
        attributes = {
            "messaging.system": "nats",
            "messaging.operation.type": "send",
            "messaging.destination.name": event.topic,
            "messaging.message.id": event.id,
        }
        span = tracing.start_span(f"send {event.topic}", parent, "producer", attributes)
        if not isinstance(span, RecordedSpan):
            await send(parent)
            return
        if self._services.payloads:
            span.payload = self._services.payloads.json(event.json)
        await traced(span, send)

    def _tell_undeclared(self, topic: str) -> None:
        entry = self._run.step.entry
        self._services.log.write(
            "error",
            {"action": "undeclared_topic", "topic": topic, **self._run.identity},
            f'{entry["name"]} emitted to "{topic}", which is not in its emits; the event was not sent. '
            f"Add it in {entry['file']}.",
        )


async def _nothing() -> None: ...


def _to_group(group: object) -> str | None:
    if group is None:
        return None
    name = to_name(group, "message groups")
    if len(name) > _LONGEST_GROUP:
        raise MotiaError("INVALID_VALUE", f"a message group has {_LONGEST_GROUP} characters at most")
    return name


def _to_message_id(topic: str, id: object) -> str | None:
    if id is None:
        return None
    if not isinstance(id, str) or id == "":
        raise MotiaError("INVALID_VALUE", "the id of an event is a text")
    return given_message_id(topic, id)


def delivery_time(delay: object) -> int | None:
    """When an event with this delay is to be delivered, ms since 1970; at once if it has none."""
    if delay is None:
        return None
    if not isinstance(delay, (int, float)) or isinstance(delay, bool) or not 0 <= delay <= LONGEST_WAIT_S:
        raise MotiaError("INVALID_VALUE", f"the delay of an event is a number of seconds, 0 to {LONGEST_WAIT_S}")
    return None if delay == 0 else int((time.time() + delay) * 1000)  # rounded up it were later than was asked for
