"""The catalogue of coded errors. `code` is stable; the message tells a person what to do."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Literal, TypeAlias, TypedDict, TypeVar

from .longest_wait import LONGEST_WAIT_S
from .protocol.encoding import well_formed

ErrorCode: TypeAlias = Literal[
    "BROKER_UNREACHABLE",
    "BROKER_AUTH",
    "BROKER_TOO_OLD",
    "BROKER_LOST",
    "BROKER_TIMEOUT",
    "BROKER_REFUSED",
    "BROKER_NAME_TAKEN",
    "PARTITIONS_FIXED",
    "NOT_PROVISIONED",
    "STORE_FULL",
    "PORT_BUSY",
    "PROJECT_INVALID",
    "INVALID_VALUE",
    "REVISION_CONFLICT",
    "STATE_GROUP_NOT_DECLARED",
    "RUN_OVER",
    "RUN_TIMEOUT",
    "RUN_CUT_OFF",
    "TEST_TIMEOUT",
]


class MotiaError(Exception):
    """Base of every error this framework raises on purpose."""

    code: ErrorCode
    """What happened, for programs."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(code, message)  # both, so that it can be pickled
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class RevisionConflictError(MotiaError):
    """What is stored is not at the revision that a write asked for: nothing was changed.

    Its code is `REVISION_CONFLICT`.
    """

    revision: int
    """Of what is stored now, 0 for nothing."""

    def __init__(self, asked: int, revision: int) -> None:
        there = "nothing is stored there" if revision == 0 else f"it is at revision {revision}"
        super().__init__("REVISION_CONFLICT", f"the value is not at revision {asked}: {there}")
        self.args = (asked, revision)  # so that it can be pickled
        self.revision = revision


class NonRetriableError(Exception):
    """Raised by a handler to say that another attempt would not help: the event becomes a dead letter at once.

    An exception of the user's own with an attribute `non_retriable = True` says the same.
    """

    non_retriable = True


class RetryAfterError(Exception):
    """Raised by a handler to say when the next attempt may help, as the `Retry-After` of a service that it called does.

    The attempt counts as any other. An exception of the user's own with such an attribute says the same.
    """

    retry_after_seconds: float
    """Wait until the next attempt."""

    def __init__(self, seconds: float, message: str | None = None) -> None:
        """`seconds` from 0 to 31 days; raises `MotiaError` `INVALID_VALUE` for any other."""
        super().__init__(f"the next attempt may help after {seconds} s" if message is None else message)
        if not _is_wait(seconds):
            text = f"RetryAfterError needs seconds from 0 to {LONGEST_WAIT_S}, not {seconds}"
            raise MotiaError("INVALID_VALUE", text)
        self.retry_after_seconds = seconds

    def __reduce__(self) -> tuple[type[RetryAfterError], tuple[float, str]]:
        return type(self), (self.retry_after_seconds, str(self))


def _is_wait(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LONGEST_WAIT_S


class _RequiredErrorFields(TypedDict):
    name: str
    message: str


class ErrorRecord(_RequiredErrorFields, total=False):
    """An error as it travels between processes and into dead letters. The keys are those of the wire protocol."""

    stack: str
    """Formatted traceback, causes included."""
    code: str
    nonRetriable: bool
    retryAfterSeconds: float


_LONGEST_TEXT = 16_384

T = TypeVar("T")


def to_error_record(thrown: object) -> ErrorRecord:
    """Describes anything that was raised, as text that is valid UTF-8. Never raises, whatever its attributes do."""
    record: ErrorRecord = {
        "name": "Error",
        "message": _attempt(lambda: well_formed(str(thrown))[:_LONGEST_TEXT], "an error that cannot be shown"),
    }
    error = _attempt(lambda: thrown if isinstance(thrown, BaseException) else None, None)
    if error is not None:
        record["name"] = type(error).__name__
        stack = _attempt(lambda: well_formed("".join(traceback.format_exception(error))).rstrip(), "")
        record["stack"] = stack[-_LONGEST_TEXT:]  # its end is where Python says what was raised, and where
    code = _attempt(lambda: getattr(thrown, "code", None), None)
    if type(code) is str:
        record["code"] = well_formed(code)[:_LONGEST_TEXT]
    if _is_true(thrown, "non_retriable") or _is_true(thrown, "nonRetriable"):
        record["nonRetriable"] = True
    seconds = _attempt(lambda: getattr(thrown, "retry_after_seconds", None), None)
    if seconds is not None and _is_wait(seconds):
        record["retryAfterSeconds"] = seconds
    return record


def _is_true(holder: object, name: str) -> bool:
    return _attempt(lambda: getattr(holder, name, None) is True, False)


def _attempt(read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except BaseException:  # a `__str__` may raise SystemExit, too
        return otherwise
