"""Every name this framework gives to something on the broker, made in this one file."""

from __future__ import annotations

from dataclasses import dataclass

from .encoding import encode_token, encode_topic


@dataclass(frozen=True, slots=True)
class StreamNames:
    """Broker streams."""

    requests: str
    events: str
    scheduled: str
    dead: str
    sent: str
    cron: str


@dataclass(frozen=True, slots=True)
class BucketNames:
    """KV buckets and object stores."""

    state: str
    streams: str
    manifest: str
    leases: str
    bodies: str
    payloads: str
    values: str
    items: str


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one app's broker streams, buckets, subjects and consumers. Made by `create_names`."""

    app: str
    streams: StreamNames
    buckets: BucketNames
    requests: str
    cancel: str
    """A gateway tells here the id of a request whose caller is gone. Not stored."""
    events: str
    retries: str
    schedules: str
    fire_retries: str
    fires: str
    deads: str
    sent: str
    ticks: str
    scheduler_lease: str
    """Lease of the leader among the schedulers."""
    all_cron_runs: str
    cron_positions: str
    cron_pauses: str

    def request(self, step_id: str) -> str:
        """API calls of one step wait here."""
        return f"{self.app}.req.{encode_token(step_id)}"

    def event(self, topic: str) -> str:
        """Events of a topic; the token before it is the message group's partition, `_` without a group."""
        return f"{self.app}.ev._.{encode_topic(topic)}"

    def event_filter(self, topic: str) -> str:
        """What a subscription listens to."""
        return f"{self.app}.ev.*.{encode_topic(topic)}"

    def retry(self, durable: str) -> str:
        """An event that waits for its next attempt in one subscription arrives here when its time has come."""
        return f"{self.app}.retry.{durable}"

    def schedule(self, durable: str, id: str) -> str:
        """A schedule: the broker publishes to its target at the set time. The subject is the schedule's identity."""
        return f"{self.app}.sched.{durable}.{encode_token(id)}"

    def fire_retry(self, durable: str) -> str:
        """Target of retry schedules; the events stream sources it as `retry.<durable>`."""
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

    def sent_to_group(self, stream: str, group: str) -> str:
        """What is sent through a stream, without being stored in it, to whoever follows a group."""
        return f"{self.app}.sent.{encode_token(stream)}.{encode_token(group)}"

    def sent_to_item(self, stream: str, group: str, id: str) -> str:
        """The same to whoever follows one item."""
        return f"{self.sent_to_group(stream, group)}.{encode_token(id)}"


def create_names(app: str) -> Names:
    """Makes the names of one app, which must already be sanitised to `[A-Za-z0-9_-]`."""
    return Names(
        app=app,
        streams=StreamNames(
            requests=f"{app}_REQUESTS",
            events=f"{app}_EVENTS",
            scheduled=f"{app}_SCHED",
            dead=f"{app}_DEAD",
            sent=f"{app}_SENT",
            cron=f"{app}_CRON",
        ),
        buckets=BucketNames(
            state=f"{app}_state",
            streams=f"{app}_streams",
            manifest=f"{app}_manifest",
            leases=f"{app}_leases",
            bodies=f"{app}_bodies",
            payloads=f"{app}_payloads",
            values=f"{app}_values",
            items=f"{app}_items",
        ),
        requests=f"{app}.req.*",
        cancel=f"{app}.cancel",
        events=f"{app}.ev.>",
        retries=f"{app}.retry.>",
        schedules=f"{app}.sched.>",
        fire_retries=f"{app}.fire.retry.>",
        fires=f"{app}.fire.>",
        deads=f"{app}.dead.*",
        sent=f"{app}.sent.>",
        ticks=f"{app}.cron.*",
        scheduler_lease="scheduler",
        all_cron_runs="cron.*",
        cron_positions="fired.*",
        cron_pauses="paused.*",
    )
