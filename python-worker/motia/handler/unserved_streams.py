"""The place of realtime streams in the context, until they are served."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from ..errors import MotiaError


class _UnservedStream:
    """Every operation is refused with the reason."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, operation: str) -> Callable[..., NoReturn]:
        if operation.startswith("__"):
            raise AttributeError(operation)

        def refuse(*_: object, **__: object) -> NoReturn:
            message = f"streams.{self._name}.{operation}(): realtime streams are not served yet"
            raise MotiaError("NOT_SUPPORTED", message)

        return refuse


class UnservedStreams:
    """Any stream by any name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _UnservedStream(name)

    def __getitem__(self, name: str) -> Any:
        return _UnservedStream(name)


UNSERVED_STREAMS: Final = UnservedStreams()
