"""The context that a handler receives; its contract is `FlowContext` in `motia/types.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..broker.events import NewEvent
from ..errors import MotiaError
from ..json_values import to_json
from ..tracing import traced
from .active_run import ActiveRun
from .logger import RunLogger
from .perform import to_name
from .services import Services
from .state import State
from .streams import Streams


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
            run = self._run
            identity = {
                "step": run.step.entry["name"],
                "traceId": run.span.trace_id,
                "spanId": run.span.span_id,
            }
            self._logger = RunLogger(self._services.log, identity)
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
    ) -> Any:
        """The event, or its parts by name. Nothing to await in a plain function."""
        run = self._run
        run.assert_may_act()
        group = messageGroupId if message_group_id is None else message_group_id
        if isinstance(event, Mapping):
            topic, data, group = event.get("topic"), event.get("data"), event.get("messageGroupId")
        if not isinstance(topic, str):
            raise MotiaError("INVALID_VALUE", 'emit() needs a dict {"topic": ..., "data": ...} with a text as topic')
        declared = run.step.entry["emits"]
        if declared and not any(emit["topic"] == topic for emit in declared):
            self._tell_undeclared(topic)
            return run.begin(_nothing())
        json = to_json(data)  # now, since the handler may change it before it is sent
        event_id = run.event_id(topic, json)
        return run.begin(self._emit(event_id, topic, json, None if group is None else to_name(group, "message groups")))

    async def _emit(self, event_id: str, topic: str, json: bytes, group: str | None) -> None:
        parent = self._run.span.traceparent

        async def send(traceparent: str) -> None:
            await (await self._services.events()).emit(NewEvent(event_id, topic, json, traceparent, group))

        tracing = self._services.tracing
        if not tracing.recording:
            await send(parent)
            return
        attributes = {
            "messaging.system": "nats",
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
            "messaging.message.id": event_id,
        }
        await traced(tracing.start_span(f"send {topic}", parent, "producer", attributes), send)

    def _tell_undeclared(self, topic: str) -> None:
        entry = self._run.step.entry
        self._services.log.write(
            "error",
            {"action": "undeclared_topic", "topic": topic, "step": entry["name"], "traceId": self.trace_id},
            f'{entry["name"]} emitted to "{topic}", which is not in its emits; the event was not sent. '
            f"Add it in {entry['file']}.",
        )


async def _nothing() -> None: ...
