"""A project that runs for a test, on a real broker: what tests do with it and see of it.

The twin of `MotiaTester` in `testing/tester.ts`, with calls that return when they are done.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from .host import Host


@dataclass(frozen=True, slots=True)
class Response:
    """The answer of a step."""

    status: int
    headers: dict[str, Any]
    """Lower-cased names; `set-cookie` is a list."""
    text: str
    body: Any = field(default_factory=dict)
    """Parsed JSON; bytes of any type that is no text; `{}` otherwise."""

    @property
    def status_code(self) -> int:
        return self.status

    @property
    def ok(self) -> bool:
        """The status is 200 to 299."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class CapturedEvent:
    """An event that was emitted."""

    topic: str
    data: Any
    trace_id: str
    id: str
    message_group_id: str | None


@dataclass(frozen=True, slots=True)
class Wait:
    """An event that waits for its time."""

    kind: str
    """`delay` or `retry`."""
    at: datetime
    topic: str
    attempt: int
    step: str | None
    """Of an event that waits in one subscription only."""


class Watcher:
    """The events of a topic since it is watched."""

    def __init__(self, host: Host, number: int) -> None:
        self._host = host
        self._number = number

    @property
    def events(self) -> list[CapturedEvent]:
        """In the order in which the broker has stored them."""
        return [
            CapturedEvent(event["topic"], event["data"], event["traceId"], event["id"], event.get("messageGroupId"))
            for event in self._host.ask("captured", self._number)
        ]

    @property
    def last(self) -> CapturedEvent | None:
        events = self.events
        return events[-1] if events else None

    @property
    def data(self) -> list[Any]:
        """What the events carry."""
        return [event.data for event in self.events]

    def clear(self) -> None:
        """Forgets what was captured."""
        self._host.ask("clearCaptured", self._number)


class AppState:
    """The state that the steps share."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def get(self, group: str, key: str) -> Any:
        """The stored value, or `None`."""
        return self._host.ask("state", "get", [group, key])

    def set(self, group: str, key: str, value: Any) -> None:
        self._host.ask("state", "set", [group, key, value])

    def delete(self, group: str, key: str) -> Any:
        """Removes a value and gives it, or `None`."""
        return self._host.ask("state", "delete", [group, key])

    def get_group(self, group: str) -> list[Any]:
        return self._host.ask("state", "getGroup", [group])

    def clear(self, group: str) -> None:
        self._host.ask("state", "clear", [group])


class AppStream:
    """The items of a realtime stream."""

    def __init__(self, host: Host, name: str) -> None:
        self._host = host
        self._name = name

    def get(self, group_id: str, id: str) -> dict[str, Any] | None:
        return self._host.ask("stream", self._name, "get", [group_id, id])

    def set(self, group_id: str, id: str, item: Mapping[str, Any]) -> dict[str, Any]:
        return self._host.ask("stream", self._name, "set", [group_id, id, dict(item)])

    def delete(self, group_id: str, id: str) -> dict[str, Any] | None:
        return self._host.ask("stream", self._name, "delete", [group_id, id])

    def get_group(self, group_id: str) -> list[dict[str, Any]]:
        return self._host.ask("stream", self._name, "getGroup", [group_id])


class AppClock:
    """Its time: it stands still, and whatever is due happens when a test moves it on, in its order."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def now(self) -> datetime:
        return _to_datetime(self._host.ask("now"))

    def advance(self, by: str | float) -> None:
        """Moves time on by `"90s"`, `"1h 30m"`, `"2d"`, or seconds."""
        self._host.ask("advance", by if isinstance(by, str) else by * 1000)

    def advance_to(self, time: datetime | str) -> None:
        """Moves time on to this moment, which has a time zone."""
        self._host.ask("advanceTo", time if isinstance(time, str) else time.isoformat())

    def advance_to_next(self) -> bool:
        """Moves time on to whatever is due next, and lets that happen. Tells whether there was anything."""
        return self._host.ask("advanceToNext")

    def pending(self) -> list[Wait]:
        """The events that wait for their time, the earliest first."""
        return [
            Wait(wait["kind"], _to_datetime(wait["at"]), wait["topic"], wait["attempt"], wait.get("step"))
            for wait in self._host.ask("pending")
        ]


class MotiaApp:
    """A project that runs for a test. Use it with `with`, or `close` it."""

    def __init__(
        self,
        project: str | Path = ".",
        *,
        start_time: datetime | str | None = None,
        timeout: float = 10,
        verbose: bool = False,
    ) -> None:
        """Boots the project, whose Python steps run in a worker as always.

        `start_time`: when the clock stands first; it may not have passed. `timeout`: seconds that `wait_events` and
        each moment of `clock.advance` may take. `verbose`: prints the log.
        """
        self._host = Host()
        options: dict[str, object] = {"project": str(project), "timeout": timeout * 1000, "verbose": verbose}
        if start_time is not None:
            options["startTime"] = start_time if isinstance(start_time, str) else start_time.isoformat()
        try:
            self.url: str = self._host.ask("start", options)["url"]
        except BaseException:
            self._host.close()
            raise
        self.state = AppState(self._host)
        self.clock = AppClock(self._host)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        query: Mapping[str, str | int | float | bool | Sequence[str]] | None = None,
    ) -> Response:
        """Calls a step: with `json` as its body, or text or bytes as they are."""
        options: dict[str, object] = {}
        if json is not None:
            options["body"] = json
        elif isinstance(body, bytes):
            options["bytes"] = base64.b64encode(body).decode()
        elif body is not None:
            options["body"] = body
        for name, value in (("headers", headers), ("cookies", cookies), ("query", query)):
            if value is not None:
                options[name] = dict(value)
        answer = self._host.ask("request", method.lower(), path, options)
        received = base64.b64decode(answer["bytes"]) if "bytes" in answer else answer["body"]
        return Response(answer["status"], answer["headers"], answer["text"], received)

    def get(self, path: str, **options: Any) -> Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Response:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        return self.request("DELETE", path, **options)

    def emit(
        self,
        topic: str,
        data: Any = None,
        *,
        message_group_id: str | None = None,
        delay: float | None = None,
        id: str | None = None,
    ) -> None:
        """Emits an event, as a handler does."""
        given = {"messageGroupId": message_group_id, "delay": delay, "id": id}
        fields = {name: value for name, value in given.items() if value is not None}
        self._host.ask("emit", {"topic": topic, "data": data, **fields})

    def trigger(self, cron_step: str) -> None:
        """Has a cron step run, whatever its schedule says."""
        self._host.ask("trigger", cron_step)

    def watch(self, topic: str) -> Watcher:
        """Captures the events of a topic from now on."""
        return Watcher(self._host, self._host.ask("watch", topic))

    def wait_events(self, timeout: float | None = None) -> None:
        """Returns as soon as nothing is queued or running. What waits for its time does not count.

        Raises `MotiaError` `TEST_TIMEOUT` that says what still is, after `timeout` seconds.
        """
        self._host.ask("waitEvents", None if timeout is None else timeout * 1000)

    def stream(self, name: str) -> AppStream:
        """The realtime stream with this name."""
        return AppStream(self._host, name)

    def dead_letters(self, step: str | None = None) -> list[dict[str, Any]]:
        """Events whose attempts are used up, the oldest first: of all steps, or of one."""
        return self._host.ask("deadLetters", step)

    def logs(self) -> list[dict[str, Any]]:
        """The log so far: of handlers (`step` says of which), and of the framework."""
        return self._host.ask("logs")

    def reset(self) -> None:
        """Forgets events, state, streams and the log. The clock and watchers go on."""
        self._host.ask("reset")

    def close(self) -> None:
        """Ends everything."""
        self._host.close()

    def __enter__(self) -> MotiaApp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _to_datetime(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
