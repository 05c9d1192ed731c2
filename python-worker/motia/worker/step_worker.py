"""The job loop of one worker: one consumer per API step, cron step and subscription, in step with the manifest."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ..broker.consumers import Source, ensure_consumer, subscription_sources
from ..broker.cron_store import CronStore
from ..broker.events import EventStore
from ..broker.former_partitions import FormerPartitions, end_former_partition
from ..broker.holdings import HeldEvent
from ..errors import MotiaError
from ..steps.app_part import AppPart
from .cron_consumer import CronConsumer
from .event_consumer import EventConsumer
from .gate import Gate
from .outcome import Displaced
from .request_consumer import ConsumerServices, RequestConsumer

# A quarter of the shortest ack wait: each consumer renews what is due by its own.
_RENEW_S: Final = 0.25
# How often it is looked whether a former partition is done with.
_END_FORMER_S: Final = 2.0
_RECOVER_AFTER_S: Final = 0.1
# Gateways learn of a new version within this time.
_CALLS_COME_FOR_S: Final = 2.0
_CHECK_S: Final = 0.25

StepConsumer = RequestConsumer | EventConsumer | CronConsumer


class StepWorker:
    """Takes work for the steps that it serves."""

    def __init__(
        self, services: ConsumerServices, events: EventStore, cron: CronStore, part: AppPart, concurrency: int
    ) -> None:
        """Takes `part` of the steps to serve; `concurrency` is the limit of a step that says nothing about it."""
        self._services = services
        self._events = events
        self._cron = cron
        self._part = part
        self._concurrency = concurrency
        self._loop = asyncio.get_running_loop()
        self._consumers: dict[str, StepConsumer] = {}
        self._gates: dict[str, Gate] = {}
        # Of steps that are gone from the app: they end when what they hold is done.
        self._retired: set[StepConsumer] = set()
        self._renewal: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._recovering: asyncio.Task[None] | None = None
        self._stopped = False

    def serve(self, steps: list[dict[str, Any]], former: Mapping[str, FormerPartitions]) -> None:
        """Takes work for these manifest entries, and the rest of what was FIFO before.

        What an unchanged step holds goes on undisturbed.
        """
        before, self._consumers = self._consumers, {}
        for key, make in self._wanted(steps, former):
            existing = before.pop(key, None)
            consumer = existing or make()
            if existing is None:
                consumer.puller.start()
            self._consumers[key] = consumer
        for consumer in before.values():
            self._retire(consumer)
        if self._renewal is None:
            self._renew()
        if self._ending is None and not self._services.broker.locked:
            self._ending = self._loop.create_task(self._end_former())

    @property
    def sources(self) -> list[Source]:
        """Where it takes work from."""
        return [consumer.source for consumer in self._consumers.values()]

    def holding(self) -> list[tuple[tuple[str, str], int]]:
        """How many messages it holds of each step, by the id of the step and the kind of its runs."""
        held: dict[tuple[str, str], int] = {}
        for consumer in self._holders():
            key = (consumer.step["id"], consumer.kind)
            held[key] = held.get(key, 0) + consumer.load
        return list(held.items())

    def holdings(self, durables: set[str]) -> list[HeldEvent]:
        """The events that it has of these consumers."""
        consumers = [c for c in self._holders() if isinstance(c, EventConsumer) and c.source.durable in durables]
        return [held for consumer in consumers for held in consumer.holdings]

    def cancel(self, request_id: str) -> None:
        """The caller of this request is gone."""
        for consumer in self._holders():
            if isinstance(consumer, RequestConsumer):
                consumer.cancel(request_id)

    def on_disconnect(self) -> None:
        """The connection is lost, and with it perhaps a piece of an answer."""
        self._cut_off_streams("the connection to the broker was lost")

    def on_reconnect(self) -> None:
        """The connection is back. What was asked for by the former one will not come."""
        for consumer in self._holders():
            consumer.puller.restart()
        self._make_again()

    def _make_again(self) -> None:
        """Memory streams and their consumers may be gone with the server."""
        if self._recovering is None and not self._stopped:
            self._recovering = self._loop.create_task(self._recover())

    async def drain(self, grace: float) -> None:
        """Stops taking work; returns when nothing is under way any more, or after `grace` seconds."""
        self._stopped = True
        for consumer in self._holders():
            consumer.puller.stop()
        for consumer in self._holders():
            if isinstance(consumer, EventConsumer):
                consumer.hand_back_waiting()
        for gate in self._gates.values():
            for consumer, held in gate.withdraw():
                consumer.end(held, Displaced())  # handed back
        for job in self._services.pool.withdraw_events():
            job.on_end(Displaced(), 0, 0)
        give_up = self._loop.time() + grace
        while self._loop.time() < give_up and any(consumer.load for consumer in self._holders()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self._cut_off_streams("the worker shuts down")
        if self._renewal:
            self._renewal.cancel()
        if self._ending:
            self._ending.cancel()
        # What the broker had sent before it heard that we stopped is on the wire: it is handed back when it comes.
        with contextlib.suppress(MotiaError):
            await self._services.broker.flush()
        for consumer in self._holders():
            consumer.puller.close()

    def _wanted(
        self, steps: list[dict[str, Any]], former: Mapping[str, FormerPartitions]
    ) -> Iterator[tuple[str, Callable[[], StepConsumer]]]:
        for step in steps:
            if step["type"] == "api" and self._part.takes_step(step):
                yield (
                    f"api {step['id']} {step['file']}",
                    lambda step=step: RequestConsumer(self._services, step, self._make_again),
                )
            elif step["type"] == "event":
                # Delivery settings are part of the key: changed ones make a new consumer.
                settings = json.dumps(step.get("infrastructure"), sort_keys=True)
                gate = self._gate(f"{step['id']} {settings}", step)
                for topic in dict.fromkeys(step["subscribes"]):
                    if not self._part.takes_topic(step, topic):
                        continue
                    for source in subscription_sources(self._services.names, step, topic):
                        was = former.get(source.durable)
                        own = replace(source, groups_after=was.boundary) if was else source
                        rest = was.left if was else ()
                        for one, prefix in [(own, "event"), *((one, "rest") for one in rest)]:
                            yield (
                                f"{prefix} {one.durable} {one.groups_after} {step['file']} {settings}",
                                lambda step=step, topic=topic, source=one, gate=gate: EventConsumer(
                                    self._services,
                                    self._events,
                                    step,
                                    topic,
                                    source,
                                    gate,
                                    # A rest is not to be made again: it goes when it is empty.
                                    self._make_again if source.runs_until is None else _nothing,
                                ),
                            )

            elif step["type"] == "cron" and self._part.takes_step(step):
                yield (
                    f"cron {step['id']} {step['file']} {step.get('missed')} {step.get('overlap')}",
                    lambda step=step: CronConsumer(self._services, self._cron, step, self._make_again),
                )

    def _gate(self, key: str, step: dict[str, Any]) -> Gate:
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = Gate(step, self._concurrency, has_one_process=self._services.pool.size == 1)
        return gate

    def _renew(self) -> None:
        self._renewal = self._loop.call_later(_RENEW_S, self._renew)
        for consumer in self._holders():
            if not isinstance(consumer, RequestConsumer):
                consumer.renew()

    async def _end_former(self) -> None:
        while True:
            await asyncio.sleep(_END_FORMER_S)
            for key, consumer in [*self._consumers.items()]:
                if consumer.source.runs_until is None or consumer.load:
                    continue
                try:
                    gone = await end_former_partition(self._services.broker, self._services.names, consumer.source)
                except MotiaError as error:
                    fields = {"action": "partition_left", "err": error}
                    message = "A former partition could not be looked at; trying again"
                    self._services.log.write("warn", fields, message)
                    continue
                if gone and self._consumers.get(key) is consumer:
                    del self._consumers[key]
                    self._retire(consumer)

    async def _recover(self) -> None:
        """The streams are made again by the gateways; the consumers of our steps are ours to make."""
        broker = self._services.broker
        told = False
        while not self._stopped:
            try:
                await broker.when_connected(60.0)
                consumers = [c for c in self._consumers.values() if c.source.runs_until is None]
                await asyncio.gather(*[self._ensure(consumer) for consumer in consumers])
                break
            except MotiaError as error:
                if not told:
                    fields = {"action": "recover_failed", "err": error}
                    self._services.log.write("warn", fields, "The broker is not ready yet; trying again")
                told = True
                await asyncio.sleep(_RECOVER_AFTER_S)
        self._recovering = None

    async def _ensure(self, consumer: StepConsumer) -> None:
        await ensure_consumer(self._services.broker, consumer.source, consumer.step["name"])
        consumer.puller.pull()  # the others may take longer

    def _cut_off_streams(self, reason: str) -> None:
        for consumer in self._holders():
            if isinstance(consumer, RequestConsumer):
                consumer.cut_off_streams(reason)

    def _retire(self, consumer: StepConsumer) -> None:
        """Calls come until the gateways know of the new version; they are answered with 404 then."""
        self._retired.add(consumer)
        if isinstance(consumer, RequestConsumer):
            self._loop.call_later(_CALLS_COME_FOR_S, consumer.puller.stop)
        else:
            consumer.puller.stop()

        def check() -> None:
            if consumer.load:
                self._loop.call_later(_CHECK_S, check)
                return
            consumer.puller.close()
            self._retired.discard(consumer)

        self._loop.call_later(_CALLS_COME_FOR_S, check)

    def _holders(self) -> list[StepConsumer]:
        """Everyone who may hold something."""
        return [*self._consumers.values(), *self._retired]


def _nothing() -> None:
    pass
