"""Pulls messages of one durable consumer, only as many as there is room for.

A client that prefetches a fixed number lets attempts pass without a run and starves other workers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from .connect import Broker
from .delivery import Delivery
from .message import Message
from .nats_client import DirectSubscription

_NANOS_PER_S = 1_000_000_000
_EXPIRES_S = 30
_HEARTBEAT_S = 5
# Silence after which the broker is taken to have forgotten our request.
_SILENCE_S = 2.5 * _HEARTBEAT_S
# Most that is asked for at a time.
_LARGEST_BATCH = 512
_TRY_AGAIN_S = 0.25
_LIMIT = re.compile("batch|max.?bytes", re.IGNORECASE)
_DELETED = re.compile("deleted", re.IGNORECASE)
_HEARTBEAT, _NOT_FOUND, _EXPIRED, _CONFLICT, _NO_RESPONDERS = 100, 404, 408, 409, 503


class PullConsumer:
    """One puller of one durable consumer."""

    def __init__(
        self,
        broker: Broker,
        *,
        stream: str,
        durable: str,
        ack_wait_ms: int,
        room: Callable[[], int],
        on_delivery: Callable[[Delivery], object],
        on_gone: Callable[[], object],
    ) -> None:
        """`room`: how many more messages this process can take right now, those already asked for included. `on_gone`:
        the consumer may be gone from the broker, or the whole stream: then it is to be made again. Until it is there it
        is asked again and again.
        """
        self._broker = broker
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._ack_wait_ms = ack_wait_ms
        self._room = room
        self._on_delivery = on_delivery
        self._on_gone = on_gone
        self._inbox = broker.new_inbox()
        self._loop = asyncio.get_running_loop()
        self._subscription: DirectSubscription | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._asked = 0
        self._heard_at = 0.0
        self._stopped = True

    def start(self) -> None:
        """Begins to pull."""
        self._stopped = False
        self._subscription = self._broker.subscribe(self._inbox, self._on_message)
        self._watchdog = self._loop.call_later(_HEARTBEAT_S, self._check_silence)
        self.pull()

    def stop(self) -> None:
        """Stops asking. What the broker has sent meanwhile is handed back unstarted."""
        self._stopped = True
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._asked = 0

    def close(self) -> None:
        """Ends the subscription too; call it when nothing can arrive any more (after a flush)."""
        self.stop()
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None

    def restart(self) -> None:
        """Forgets what was asked for and asks anew: the connection was made again."""
        self._asked = 0
        self.pull()

    def pull(self) -> None:
        """Asks for more if there is room. Call it whenever room has become free."""
        request = self._next_request()
        if request is not None:
            self._broker.send(self._subject, request, self._inbox)

    def ack_and_pull(self, delivery: Delivery) -> None:
        """Acks a message that takes no room any more, and asks for more if there is room."""
        request = self._next_request()
        if request is None:
            delivery.ack()
        else:
            delivery.ack_and_ask(request, self._inbox)

    def _next_request(self) -> bytes | None:
        """What asks for as many as there is room for, if that is to be asked for now."""
        if self._stopped or not self._broker.connected():
            return None
        room = self._room()
        wanted = min(room - self._asked, _LARGEST_BATCH)
        # Asking one by one would cost a request per message: wait until half the room is free, unless nothing is asked
        # for.
        if wanted <= 0 or (self._asked > 0 and wanted < room / 2):
            return None
        if self._asked == 0:
            self._heard_at = self._loop.time()
        self._asked += wanted
        return b'{"batch":%d,"expires":%d,"idle_heartbeat":%d}' % (
            wanted,
            _EXPIRES_S * _NANOS_PER_S,
            _HEARTBEAT_S * _NANOS_PER_S,
        )

    def _on_message(self, message: Message) -> None:
        self._heard_at = self._loop.time()
        if not message.reply.startswith("$JS.ACK."):
            self._on_status(message)
            return
        if self._asked > 0:
            self._asked -= 1
        # Not handed back either: if it is with somebody else by now, that would hand it out once more.
        if self._broker.may_be_stale(self._ack_wait_ms):
            return
        delivery = Delivery(self._broker, message)
        if self._stopped:
            delivery.hand_back()
            return
        self._on_delivery(delivery)
        if self._asked == 0:
            self.pull()

    def _on_status(self, message: Message) -> None:
        status, description = message.status, message.description
        if status == _HEARTBEAT:
            return
        if status in (_NOT_FOUND, _EXPIRED) or (status == _CONFLICT and _LIMIT.search(description)):
            unserved = message.header("Nats-Pending-Messages")
            self._asked = max(0, self._asked - int(unserved)) if unserved.isdigit() and unserved != "0" else 0
            self.pull()
            return
        self._asked = 0
        if self._stopped:
            return
        if status == _NO_RESPONDERS or (status == _CONFLICT and _DELETED.search(description)):
            self._on_gone()  # otherwise leader change, server shutdown, limits
        self._loop.call_later(_TRY_AGAIN_S, self.pull)

    def _check_silence(self) -> None:
        self._watchdog = self._loop.call_later(_HEARTBEAT_S, self._check_silence)
        silent = self._loop.time() - self._heard_at > _SILENCE_S
        if self._asked > 0 and silent and self._broker.connected():
            self.restart()
        else:
            self.pull()
