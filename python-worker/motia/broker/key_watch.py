"""Hears of every change of one key of a KV bucket, also after the connection or the server was away."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

from ..errors import MotiaError
from .connect import Broker
from .consumers import create_consumer, delete_consumer
from .delivery import Delivery
from .message import Message
from .nats_client import DirectSubscription

_NANOS_PER_S = 1_000_000_000
_HEARTBEAT_S = 5
# Silence after which the broker is taken to have lost the consumer.
_SILENCE_S = 2.5 * _HEARTBEAT_S
# The broker removes a consumer that nobody has listened to for so long.
_UNHEARD_S = 30
_TRY_AGAIN_S = 1.0


class KeyWatch:
    """A watch, by a consumer that lives in the broker's memory: whenever it may be lost, there is a new one."""

    def __init__(self, broker: Broker, bucket: str, key: str, on_value: Callable[[bytes], object]) -> None:
        """`on_value` is called with the present value, if there is one, and with every later one."""
        self._broker = broker
        self._stream = f"KV_{bucket}"
        self._subject = f"$KV.{bucket}.{key}"
        self._on_value = on_value
        self._renew = asyncio.Event()
        self._last = (0, 0)
        self._heard_at = 0.0
        self._consumer = ""
        self._subscription: DirectSubscription | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop_listening: Callable[[], object] = lambda: None

    async def open(self) -> None:
        """Begins to watch.

        Raises `MotiaError` if the bucket is not there within 15 s.
        """
        self._stop_listening = self._broker.add_reconnect_listener(self._renew.set)
        try:
            await self._listen()
        except BaseException:
            self._stop_listening()
            self._unsubscribe()
            raise
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Ends the watch, and its consumer with it."""
        if self._task is None:
            return
        task, self._task = self._task, None
        self._stop_listening()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self._unsubscribe()
        if self._broker.connected():
            with suppress(MotiaError):
                await delete_consumer(self._broker, self._stream, self._consumer)

    async def _keep(self) -> None:
        while True:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._renew.wait(), _HEARTBEAT_S)
            silent = self._now() - self._heard_at > _SILENCE_S
            if not self._renew.is_set() and not silent:
                continue
            self._renew.clear()
            try:
                await self._listen()
            except MotiaError:  # the bucket is away, too: made again by whoever makes it
                self._renew.set()
                await asyncio.sleep(_TRY_AGAIN_S)

    async def _listen(self) -> None:
        self._unsubscribe()  # the broker removes the consumer that was behind it
        inbox = self._broker.new_inbox()
        self._subscription = self._broker.subscribe(inbox, self._on_message)
        self._consumer = f"watch-{secrets.token_hex(8)}"
        self._heard_at = self._now()
        config = {
            "name": self._consumer,
            "deliver_subject": inbox,
            "deliver_policy": "last_per_subject",
            "filter_subjects": [self._subject],
            "ack_policy": "none",
            "idle_heartbeat": _HEARTBEAT_S * _NANOS_PER_S,
            "inactive_threshold": _UNHEARD_S * _NANOS_PER_S,
            "mem_storage": True,
            "num_replicas": 1,
        }
        await create_consumer(self._broker, self._stream, self._consumer, config, "create")

    def _on_message(self, message: Message) -> None:
        self._heard_at = self._now()
        if message.status != 0:
            return
        delivery = Delivery(self._broker, message)
        identity = (delivery.sequence, delivery.stored_at)
        if identity == self._last:  # a new consumer begins with what the old one gave last
            return
        self._last = identity
        if not message.header("KV-Operation"):
            self._on_value(message.data)

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
