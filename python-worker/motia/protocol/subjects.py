"""Every name this framework gives to something on the broker, made in this one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .encoding import encode_token, encode_topic

DEFAULT_PARTITIONS: Final = 64
"""Message groups are spread over this many partitions, unless `MOTIA_PARTITIONS` says otherwise."""


@dataclass(frozen=True, slots=True)
class StreamNames:
    """Broker streams."""

    requests: str
    events: str
    scheduled: str
    dead: str
    sent: str
    cron: str
    telemetry: str


@dataclass(frozen=True, slots=True)
class BucketNames:
    """KV buckets and object stores."""

    state: str
    streams: str
    manifest: str
    leases: str
    delivery: str
    bodies: str
    payloads: str
    values: str
    items: str
    answers: str


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one app's broker streams, buckets, subjects and consumers. Made by `create_names`."""

    app: str
    streams: StreamNames
    buckets: BucketNames
    requests: str
    cancel: str
    holdings: str
    """A gateway tells here the id of a request whose caller is gone. Not stored."""
    events: str
    retries: str
    schedules: str
    grouped: str
    partitions: tuple[str, ...]
    """Tokens of the partitions; events without a group have one of their own."""
    fire_events: str
    fire_grouped: str
    fire_retries: str
    fires: str
    bookings: str
    booking_stream: str
    """The broker stream of bookings, which only apps have that were provisioned."""
    deads: str
    sent: str
    ticks: str
    worker_leases: str
    boundary_keys: str
    scheduler_lease: str
    """Lease of the leader among the schedulers."""
    all_cron_runs: str
    cron_positions: str
    cron_pauses: str
    all_delayed: str
    all_marks: str
    young_telemetry: str
    late_spans: str
    all_telemetry: str

    def worker_lease(self, id: str) -> str:
        """Lease of a worker."""
        return f"worker.{id}"

    def boundary_key(self, durable: str) -> str:
        """Where it is kept from where on a subscription that was ordered runs the events of groups itself."""
        return f"boundary.{durable}"

    def answer_key(self, step_id: str, key: str) -> str:
        """Where the answer to a call with an `Idempotency-Key` is."""
        return f"{encode_token(step_id)}.{encode_token(key)}"

    def request(self, step_id: str) -> str:
        """API calls of one step wait here."""
        return f"{self.app}.req.{encode_token(step_id)}"

    def event(self, topic: str, group: str | None = None) -> str:
        """Events of a topic are emitted to this; in the stream one of a message group is under its partition."""
        return f"{self.app}.{_event(topic, group)}"

    def partition_filter(self, topic: str, partition: str) -> str:
        """What an ordered subscription listens to in one partition."""
        return f"{self.app}.ev.{partition}.{encode_topic(topic)}"

    def grouped_events(self, topic: str) -> str:
        """Where events of a topic are emitted to that are of any message group."""
        return f"{self.app}.grouped.*.{encode_topic(topic)}"

    def book_event(self, topic: str, group: str | None = None) -> str:
        """Whoever may not make schedules has a scheduler make them, by a booking: its subject says the target."""
        return f"{self.app}.book.{_event(topic, group)}"

    def book_grouped_events(self, topic: str) -> str:
        """The same of any message group."""
        return f"{self.app}.book.grouped.*.{encode_topic(topic)}"

    def book_retry(self, durable: str) -> str:
        """The same for another attempt in one subscription."""
        return f"{self.app}.book.retry.{durable}"

    def event_filter(self, topic: str) -> str:
        """What a subscription listens to."""
        return f"{self.app}.ev.*.{encode_topic(topic)}"

    def retry(self, durable: str) -> str:
        """An event that waits for an attempt in one subscription arrives here when its time has come."""
        return f"{self.app}.retry.{durable}"

    def schedule(self, durable: str, id: str) -> str:
        """A schedule: the broker publishes to its target at the set time. The subject is the schedule's identity."""
        return f"{self.app}.sched.{durable}.{encode_token(id)}"

    def delayed(self, id: str) -> str:
        """A schedule of an event that was emitted with a delay."""
        return f"{self.app}.sched.ev.{encode_token(id)}"

    def schedules_of(self, durable: str) -> str:
        """The schedules of one subscription."""
        return f"{self.app}.sched.{durable}.*"

    def schedules_with(self, id: str) -> str:
        """The schedules with one id, in any subscription."""
        return f"{self.app}.sched.*.{encode_token(id)}"

    def fire_event(self, topic: str, group: str | None = None) -> str:
        """Target of such a schedule; it reaches every subscription, as if it was emitted then."""
        return f"{self.app}.fire.{_event(topic, group)}"

    def fire_retry(self, durable: str) -> str:
        """Target of the schedules of one subscription; the events stream sources it as `retry.<durable>`."""
        return f"{self.app}.fire.retry.{durable}"

    def dead(self, step_id: str) -> str:
        """Dead letters of one step."""
        return f"{self.app}.dead.{encode_token(step_id)}"

    def tick(self, step_id: str) -> str:
        """Ticks of one cron step wait here."""
        return f"{self.app}.cron.{encode_token(step_id)}"

    def request_consumer(self, step_id: str) -> str:
        """Durable consumer that takes the API calls of one step."""
        return encode_token(step_id)

    def subscription(self, step_id: str, topic: str) -> str:
        """Durable consumer of one subscription. `=_` is never the outcome of an encoding: no two pairs share a name."""
        return f"{encode_token(step_id)}=_{encode_token(topic)}"

    def tick_consumer(self, step_id: str) -> str:
        """Durable consumer that takes the ticks of one cron step."""
        return encode_token(step_id)

    def cron_runs(self, step_id: str) -> str:
        """The last runs of a cron step."""
        return f"cron.{encode_token(step_id)}"

    def cron_position(self, step_id: str) -> str:
        """The last tick of a cron step that a scheduler has dealt with."""
        return f"fired.{encode_token(step_id)}"

    def cron_pause(self, step_id: str) -> str:
        """There while a cron step is paused."""
        return f"paused.{encode_token(step_id)}"

    def ordered_subscription(self, step_id: str, topic: str, partition: str) -> str:
        """The same of an ordered subscription, which has one for each partition."""
        durable = self.subscription(step_id, topic)
        return durable if partition == "_" else f"{durable}=_{partition}"

    def mark_key(self, durable: str) -> str:
        """Where the bucket `delivery` keeps which attempt the first event of an ordered consumer is at."""
        return f"mark.{durable}"

    def telemetry(self, kind: str, node: str) -> str:
        """Spans or log records of traces that have just begun, and log records of none, as one process tells them."""
        return f"{self.app}.tel.now.{kind}.{encode_token(node)}"

    def late_telemetry(self, kind: str, trace_id: str) -> str:
        """The same of older traces, whoever tells them."""
        return f"{self.app}.tel.late.{kind}.{_late_bucket(trace_id)}"

    def telemetry_of(self, kind: str) -> str:
        """All of one kind."""
        return f"{self.app}.tel.*.{kind}.*"

    def late_of(self, trace_id: str) -> str:
        """What may be of one older trace."""
        return f"{self.app}.tel.late.*.{_late_bucket(trace_id)}"

    def rate_key(self, step_id: str) -> str:
        """Where the bucket `delivery` keeps when the next run of a step with a rate limit may start."""
        return f"rate.{encode_token(step_id)}"

    def state_key(self, group: str, key: str) -> str:
        """Key of one value of state."""
        return f"{encode_token(group)}.{encode_token(key)}"

    def state_group(self, group: str) -> str:
        """All keys of a group."""
        return f"{encode_token(group)}.*"

    def item_key(self, stream: str, group: str, id: str) -> str:
        """Key of a stream's item."""
        return f"{encode_token(stream)}.{encode_token(group)}.{encode_token(id)}"

    def item_group(self, stream: str, group: str) -> str:
        """All keys of a stream's group."""
        return f"{encode_token(stream)}.{encode_token(group)}.*"

    def items_of(self, stream: str) -> str:
        """All keys of a stream."""
        return f"{encode_token(stream)}.*.*"

    def sent_to_group(self, stream: str, group: str) -> str:
        """What is sent through a stream, without being stored in it, to whoever follows a group."""
        return f"{self.app}.sent.{encode_token(stream)}.{encode_token(group)}"

    def sent_to_item(self, stream: str, group: str, id: str) -> str:
        """The same to whoever follows one item."""
        return f"{self.sent_to_group(stream, group)}.{encode_token(id)}"

    def sent_to_items(self, stream: str, group: str) -> str:
        """What is sent to any item of a group."""
        return f"{self.sent_to_group(stream, group)}.*"

    def sent_through(self, stream: str) -> str:
        """All that is sent through a stream."""
        return f"{self.app}.sent.{encode_token(stream)}.>"


_LATE_BUCKETS: Final = 64


def _late_bucket(trace_id: str) -> int:
    """Where what is told late of a trace goes: by the random end of its id."""
    return int(trace_id[-2:], 16) % _LATE_BUCKETS


def _event(topic: str, group: str | None) -> str:
    return f"{'ev._' if group is None else f'grouped.{encode_token(group)}'}.{encode_topic(topic)}"


def inbox_prefix(public_key: str) -> str:
    """What the inboxes of a user with this public key begin with: nobody else may listen there."""
    return f"_INBOX_{public_key[:16]}"


def create_names(app: str, partitions: int = DEFAULT_PARTITIONS) -> Names:
    """Makes the names of one app, which must already be sanitised to `[A-Za-z0-9_-]`.

    The number of partitions of message groups cannot change while an app has events: they stay where they are.
    """
    return Names(
        app=app,
        streams=StreamNames(
            requests=f"{app}_REQUESTS",
            events=f"{app}_EVENTS",
            scheduled=f"{app}_SCHED",
            dead=f"{app}_DEAD",
            sent=f"{app}_SENT",
            cron=f"{app}_CRON",
            telemetry=f"{app}_TELEMETRY",
        ),
        buckets=BucketNames(
            state=f"{app}_state",
            streams=f"{app}_streams",
            manifest=f"{app}_manifest",
            leases=f"{app}_leases",
            delivery=f"{app}_delivery",
            bodies=f"{app}_bodies",
            payloads=f"{app}_payloads",
            values=f"{app}_values",
            items=f"{app}_items",
            answers=f"{app}_answers",
        ),
        requests=f"{app}.req.*",
        cancel=f"{app}.cancel",
        holdings=f"{app}.holdings",
        events=f"{app}.ev.>",
        retries=f"{app}.retry.>",
        schedules=f"{app}.sched.>",
        grouped=f"{app}.grouped.>",
        partitions=("_", *(str(n) for n in range(partitions))),
        fire_events=f"{app}.fire.ev.>",
        fire_grouped=f"{app}.fire.grouped.>",
        fire_retries=f"{app}.fire.retry.>",
        fires=f"{app}.fire.>",
        bookings=f"{app}.book.>",
        booking_stream=f"{app}_BOOKINGS",
        deads=f"{app}.dead.*",
        sent=f"{app}.sent.>",
        ticks=f"{app}.cron.*",
        worker_leases="worker.*",
        boundary_keys="boundary.*",
        scheduler_lease="scheduler",
        all_cron_runs="cron.*",
        cron_positions="fired.*",
        cron_pauses="paused.*",
        all_delayed=f"{app}.sched.ev.*",
        all_marks="mark.*",
        young_telemetry=f"{app}.tel.now.>",
        late_spans=f"{app}.tel.late.spans.*",
        all_telemetry=f"{app}.tel.>",
    )


def is_grouped(subject: str) -> bool:
    """Whether a stored event is one of a message group, by its subject."""
    _, kind, partition, *_ = subject.split(".")
    return kind == "ev" and partition != "_"
