"""One run to be had, and who wants to know how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...ipc.wire import EventMeta, TickMeta
from ..outcome import Displaced, Failed, Lost, Succeeded

if TYPE_CHECKING:
    from .handler_process import HandlerProcess


@dataclass(frozen=True, slots=True)
class Replied:
    """An API run ended with a complete reply frame."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class Unknown:
    """The process's version of the app has no such step."""


JobEnd = Replied | Succeeded | Failed | Unknown | Lost | Displaced
"""How a job ended. `Displaced`: cut off, started, and not restartable."""


@dataclass(slots=True, eq=False)
class Job:
    """A call, an event or a tick on its way through the handler processes."""

    file: str
    key: bytes
    """Made by `step_key`."""
    body: bytes
    """The request frame of a call, the payload of an event, nothing for a tick."""
    event: EventMeta | None
    """Of an event."""
    lease_until: float
    """Until when the run's message is surely ours, ms since 1970; infinite if nobody else can get it."""
    stored_at: float
    """When the run's message was stored, ms since 1970."""
    restartable: bool
    """Whether the run may begin anew after it was cut off through no fault of its own."""
    on_end: Callable[[JobEnd, float, int], None]
    """Hears how it ended, how long the handler ran in ms and how many events it emitted; 0 if that is not known."""
    tick: TickMeta | None = None
    """Of a tick."""
    limit: int = 0
    """How many runs of its step a handler process has at a time; 0 for any number."""
    on_dispatch: Callable[[], None] | None = None
    """Called when the job goes to a process."""
    on_frame: Callable[[bytes], None] | None = None
    """Called with a reply frame before the last one."""
    at: tuple[HandlerProcess, int] | None = None
    """Process and slot; `None` while it waits for a process."""
    span: str | None = None
    """`traceparent` of the span of a run that failed, was cut off or given up, if there is one."""
    displacements: int = 0
    """How often it was cut off through no fault of its own."""

    @property
    def is_call(self) -> bool:
        """Whether somebody waits for it."""
        return self.event is None and self.tick is None

    @property
    def started_at(self) -> float:
        """When it started, ms since 1970; 0 if it has not."""
        return self.at[0].started_at(self.at[1]) if self.at else 0.0

    def give_up(self, reason: str) -> None:
        """Fences the run off from the world; whatever it returns is nobody's business. While it is at a process."""
        if self.at:
            self.at[0].give_up(self.at[1], reason)

    def credit(self, taken: int) -> None:
        """Tells the run how many bytes of its streamed answer the caller has taken."""
        if self.at:
            self.at[0].credit(self.at[1], taken)

    def renew_lease(self, until: float) -> None:
        """The broker has confirmed that the message is ours for longer."""
        self.lease_until = until
        if self.at:
            self.at[0].lease(self.at[1], until)
