"""The contract that users program against: requests, responses, contexts and configs, typed for editors and pyright.

The words (Step, Topic, Event, Run, Group ...) are those of `shared/types.ts`. `Any` stands for data of the user's own.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypedDict, TypeVar, overload

from .stored_types import StateManager, Streams, SyncStateManager, SyncStreams

Body = TypeVar("Body")


# --- Requests and responses -------------------------------------------------------------------------------------------


class UploadedFile(TypedDict):
    """One file of a `multipart/form-data` body."""

    fieldname: str
    originalname: str
    mimetype: str
    size: int
    buffer: bytes


class ApiRequest(dict[str, Any], Generic[Body]):
    """What an API handler and its middleware receive: a dict that also reads by attribute.

    `req["pathParams"]`, `req.pathParams` and `req.path_params` are the same value. Middleware may add keys or
    attributes, which are the same, too.
    """

    body: Body
    """Parsed JSON, form fields or text; `bytes` for any other content type; `{}` without a body."""
    raw_body: str | bytes
    """The body as it came: text for textual content types, `bytes` for all others, `""` without a body."""
    headers: dict[str, str | list[str]]
    """Lower-cased names; repeated ones joined by `, `."""
    path_params: dict[str, str]
    query_params: dict[str, str | list[str]]
    method: str
    url: str
    """Path and query as the client sent them."""
    files: list[UploadedFile] | None
    """Files of a `multipart/form-data` body; its other fields are in `body`."""
    file: UploadedFile | None
    """The only file, when there is exactly one."""
    rawBody: str | bytes
    pathParams: dict[str, str]
    queryParams: dict[str, str | list[str]]

    if not TYPE_CHECKING:  # a checker would let every misspelt attribute pass

        def __getattr__(self, name):
            try:
                return self[_KEYS.get(name, name)]
            except KeyError:
                if name in ("files", "file"):
                    return None
                raise AttributeError(f"the request has no {name!r}", name=name, obj=self) from None

        def __setattr__(self, name, value):
            self[_KEYS.get(name, name)] = value


_KEYS = {"raw_body": "rawBody", "path_params": "pathParams", "query_params": "queryParams"}

HeaderValue: TypeAlias = str | int | float | bool | Sequence[str]


StreamedBody: TypeAlias = AsyncIterable[str | bytes] | Iterator[str | bytes]
"""A body that is sent bit by bit, as it is made: an async generator or any other async iterable, or a generator or any
other iterator, of text and bytes. Iterators run in threads.

It is read no faster than the client takes it, and closed (the `finally` of a generator runs) when the client leaves;
where an async generator waits at that moment, `asyncio.CancelledError` is raised. What it raises breaks the connection
off, since the status has been sent by then.
"""


class _ResponseStatus(TypedDict):
    status: int


class ApiResponse(_ResponseStatus, total=False):
    """What an API handler returns.

    Text and bytes are sent as they are, a `StreamedBody` bit by bit, any other body as JSON.
    """

    headers: Mapping[str, HeaderValue]
    """A list is sent as a repeated header."""
    body: Any


# --- Context ----------------------------------------------------------------------------------------------------------

ExcInfo: TypeAlias = (
    bool
    | BaseException
    | tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
    | None
)


class Logger(Protocol):
    """Writes records that name the step and the trace.

    Fields may be given as the second argument (anything at all), by keyword, or both. `exc_info` adds an exception:
    `True` stands for the one being handled.
    """

    def debug(self, message: str, fields: object = None, /, *, exc_info: ExcInfo = None, **more: object) -> None: ...
    def info(self, message: str, fields: object = None, /, *, exc_info: ExcInfo = None, **more: object) -> None: ...
    def warn(self, message: str, fields: object = None, /, *, exc_info: ExcInfo = None, **more: object) -> None: ...
    def warning(self, message: str, fields: object = None, /, *, exc_info: ExcInfo = None, **more: object) -> None: ...
    def error(self, message: str, fields: object = None, /, *, exc_info: ExcInfo = None, **more: object) -> None: ...
    def exception(self, message: str, fields: object = None, /, *, exc_info: ExcInfo = True, **more: object) -> None:
        """`error`, with the exception being handled."""

    def child(self, fields: Mapping[str, object], /) -> Logger:
        """The same logger with fields added to every record."""
        ...


class _EventTopicAndData(TypedDict):
    topic: str
    data: Any


class EmitData(_EventTopicAndData, total=False):
    """One event to emit."""

    messageGroupId: str
    """Events of one group are handled in order by FIFO steps. Any text of up to 1,024 characters."""
    delay: float
    """Seconds until it is delivered, 0 to 31 days. Default 0."""
    id: str
    """Of events with the same id that are emitted to a topic within two minutes, by whichever steps, the first one
    counts."""


class _ContextBase(Protocol):
    @property
    def logger(self) -> Logger: ...
    @property
    def trace_id(self) -> str:
        """OpenTelemetry trace id (32 hex digits), the same in every step that one cause set off."""
        ...

    @property
    def traceId(self) -> str: ...
    @property
    def flows(self) -> list[str]: ...
    @property
    def attempt(self) -> int:
        """1 for the first run of an event, 2 for its first retry, ..."""
        ...


class FlowContext(_ContextBase, Protocol):
    """What every `async def` handler receives besides its input."""

    @property
    def state(self) -> StateManager: ...
    @property
    def streams(self) -> Streams: ...
    @overload
    async def emit(self, event: EmitData, /) -> None: ...
    @overload
    async def emit(
        self,
        *,
        topic: str,
        data: object = None,
        message_group_id: str | None = None,
        delay: float = 0,
        id: str | None = None,
    ) -> None:
        """Resolves once the broker has stored the event. Begins at once, awaited or not."""


class SyncFlowContext(_ContextBase, Protocol):
    """What a plain `def` handler receives: it runs in a thread, and each call returns when it is done."""

    @property
    def state(self) -> SyncStateManager: ...
    @property
    def streams(self) -> SyncStreams: ...
    @overload
    def emit(self, event: EmitData, /) -> None: ...
    @overload
    def emit(
        self,
        *,
        topic: str,
        data: object = None,
        message_group_id: str | None = None,
        delay: float = 0,
        id: str | None = None,
    ) -> None: ...


# --- Handlers and middleware ------------------------------------------------------------------------------------------

Response: TypeAlias = Mapping[str, Any]
"""An `ApiResponse`, or a dict like one."""
Next: TypeAlias = Callable[[], Awaitable[Any]]
"""Runs the rest of the chain and gives its response."""
SyncNext: TypeAlias = Callable[[], Any]

ApiRouteHandler: TypeAlias = (
    Callable[[ApiRequest[Any], FlowContext], Awaitable[Response]]
    | Callable[[ApiRequest[Any], SyncFlowContext], Response]
)
ApiMiddleware: TypeAlias = (
    Callable[[ApiRequest[Any], FlowContext, Next], Awaitable[Response]]
    | Callable[[ApiRequest[Any], SyncFlowContext, SyncNext], Response]
)
"""Runs around the handler; the first in the list is the outermost."""
EventHandler: TypeAlias = Callable[[Any, FlowContext], Awaitable[None]] | Callable[[Any, SyncFlowContext], None]
CronHandler: TypeAlias = Callable[[FlowContext], Awaitable[None]] | Callable[[SyncFlowContext], None]


# --- Configs ----------------------------------------------------------------------------------------------------------


class SchemaModel(Protocol):
    """What pydantic 2 models have in common; named structurally, since pydantic is the user's choice."""

    @classmethod
    def model_validate(cls, obj: Any, /) -> Any: ...
    @classmethod
    def model_json_schema(cls) -> dict[str, Any]: ...


JsonSchema: TypeAlias = Mapping[str, Any]
"""A JSON Schema, draft 7 or 2020-12."""
StepSchema: TypeAlias = JsonSchema | type[SchemaModel]


class _EmitTopic(TypedDict):
    topic: str


class LabelledEmit(_EmitTopic, total=False):
    """A topic with what decorates it in the graph."""

    label: str
    conditional: bool


Emit: TypeAlias = str | LabelledEmit
"""A topic a step may emit to."""

ApiMethod: TypeAlias = Literal["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]


class QueryParam(TypedDict):
    """Documentation of one query parameter."""

    name: str
    description: str


class _Named(TypedDict):
    name: str
    """Unique within the project."""


class _StepConfig(_Named, total=False):
    description: str
    flows: Sequence[str]
    virtualEmits: Sequence[Emit]
    """Topics drawn in the graph only; they never affect delivery."""
    virtualSubscribes: Sequence[str]
    includeFiles: Sequence[str]
    """Files that a production build has to carry along, relative to the step."""
    stateGroups: Sequence[str]
    """The groups of state that its handler and middleware may touch. Any other is refused to them, and so is
    `list_groups`; the broker refuses them as well, with the users that `motia nats-config` makes, if all steps of a
    worker say so. Without it they may touch all groups."""


class _ApiRouteConfig(TypedDict):
    type: Literal["api"]
    path: str
    """Express 4 path syntax: `:id`, `:id?`, `*`, groups."""
    method: ApiMethod
    emits: Sequence[Emit]
    """Topics the handler may emit to. Empty: any topic."""


class ApiRouteConfig(_StepConfig, _ApiRouteConfig, total=False):
    """An HTTP endpoint."""

    middleware: Sequence[ApiMiddleware]
    bodySchema: StepSchema | None
    responseSchema: Mapping[int, StepSchema] | Mapping[str, StepSchema] | None
    queryParams: Sequence[QueryParam]


class HandlerLimits(TypedDict, total=False):
    """What a run of an event step may use."""

    ram: float
    """MB, 128 to 10240. Checked, but not enforced: handlers share the memory of their process."""
    cpu: float
    """vCPU, bound to `ram`. Checked, but not enforced, as `ram`."""
    timeout: float
    """Seconds after which a run is ended, 1 to 900."""


class Backoff(TypedDict, total=False):
    """A wait that grows from attempt to attempt."""

    initial: float
    """Seconds before the second attempt. Default 1."""
    factor: float
    """What each further wait is multiplied with, 1 to 100. Default 2."""
    max: float
    """Seconds that no wait exceeds, but for its random part. Default 90."""
    jitter: float
    """Share of each wait that is random, in both directions: 0.2, the default, means ± 20 %."""


class RateLimit(TypedDict):
    """No more than `limit` runs start within any `per` seconds, as exactly as the clocks of the workers agree.

    They are spread evenly: one starts `per / limit` seconds after the other at the earliest. What has to wait is not
    an attempt.
    """

    limit: int
    """1 to 100,000."""
    per: float
    """Seconds, 0.1 to 86,400."""


class QueueSettings(TypedDict, total=False):
    """How events reach an event step."""

    type: Literal["fifo", "standard"]
    """`fifo`: events of one message group, and those without any, run one after the other, over all workers."""
    maxRetries: int
    """Attempts after the first, 0 or more."""
    visibilityTimeout: float
    """Seconds that an event of a lost worker waits before another one gets it: 1 to 30, larger values count as 30.
    Default 10. A run may take as long as it likes: its worker renews the wait."""
    delaySeconds: float
    """Seconds that an event waits before its first run in this step, 0 to 900. Default 0."""
    concurrency: int
    """Runs of this step at a time in one worker. Default 10."""
    globalConcurrency: int
    """Runs of each subscription of this step at a time, over all workers: with several topics, that many for each of
    them. Not with `fifo`. Default: no limit but that of each worker."""
    rateLimit: RateLimit
    """How often runs of this step may start, over all workers."""
    backoff: Backoff
    """Wait between two attempts."""
    deadLetter: bool
    """Whether an event whose attempts are used up is kept as a dead letter (default), or dropped with one line in the
    log."""


class Infrastructure(TypedDict, total=False):
    """Delivery settings of an event step."""

    handler: HandlerLimits
    queue: QueueSettings


class _EventConfig(TypedDict):
    type: Literal["event"]
    subscribes: Sequence[str]
    emits: Sequence[Emit]


class EventConfig(_StepConfig, _EventConfig, total=False):
    """A consumer of topics."""

    input: StepSchema | None
    infrastructure: Infrastructure


class _CronConfig(TypedDict):
    type: Literal["cron"]
    cron: str
    """5 fields, 6 with leading seconds, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`."""
    emits: Sequence[Emit]


class CronConfig(_StepConfig, _CronConfig, total=False):
    """A schedule."""

    timezone: str
    """IANA name, as `Europe/Berlin`. Default: the local time of the scheduler."""
    missed: Literal["skip", "catchUp"]
    """Ticks more than a minute late, because no scheduler or worker ran: left out (default), or run one by one."""
    overlap: bool
    """Whether a tick may run while an earlier one still does. Otherwise it is left out."""


class _NoopConfig(_Named):
    type: Literal["noop"]
    virtualEmits: Sequence[Emit]
    virtualSubscribes: Sequence[str]


class NoopConfig(_NoopConfig, total=False):
    """A place on the drawing board without code."""

    description: str
    flows: Sequence[str]
    includeFiles: Sequence[str]


StepConfig: TypeAlias = ApiRouteConfig | EventConfig | CronConfig | NoopConfig


class DefaultStorage(TypedDict):
    """Items are kept by the broker."""

    storageType: Literal["default"]


class CustomStorage(TypedDict):
    """Items are kept by code of the project's own."""

    storageType: Literal["custom"]
    factory: Callable[[], object]


class _Subscription(TypedDict):
    groupId: str


class StreamSubscription(_Subscription, total=False):
    """What a client wants to follow: a group of a stream, or with `id` one of its items."""

    id: str


CanAccess: TypeAlias = Callable[[StreamSubscription, Any], bool | Awaitable[bool]]
"""A plain function or a coroutine function.

The second argument is what `authenticate` of `streamAuth` in `motia.config` has returned for the client: `None` for one
that is anonymous, and for all of them without `streamAuth`.
"""


class _StreamConfig(TypedDict):
    name: str
    schema: StepSchema
    baseConfig: DefaultStorage | CustomStorage


class StreamConfig(_StreamConfig, total=False):
    """A realtime collection of items that clients subscribe to."""

    canAccess: CanAccess
    """Whether a client may follow a group, or one item of it; without it everyone may.

    It may also be called `can_access`, and stand beside `config` as a function of the module. What it raises is logged,
    and the client denied, as it is when no answer comes within 5 s.
    """
    can_access: CanAccess
