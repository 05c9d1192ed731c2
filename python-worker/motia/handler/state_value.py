"""What `state.get` gives: values as the documentation of Motia 0.17 shows them, which also read as its code gave them.

Its Python worker gave a stored dict as `{"data": <the dict>}` and what was not there as `{"data": None}`, while its
documentation and templates use the dict itself. Real projects do either. So a dict reads both ways here, and so does
what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..json_values import JsonValue

_WRAPPER = "data"


class StateDict(dict[str, Any]):
    """A stored dict. `value["data"]` is the dict again, unless it has a key `data` of its own.

    That key is answered for, but not there: not in iteration, length, JSON or comparison.
    """

    __slots__ = ()

    def __missing__(self, key: str) -> StateDict:
        if key == _WRAPPER:
            return self
        raise KeyError(key)

    def get(self, key: str, default: Any = None, /) -> Any:
        if key in self:
            return self[key]
        return default

    def __contains__(self, key: object) -> bool:
        return key == _WRAPPER or super().__contains__(key)


class Missing:
    """What stands for a value that is not there: falsy, empty, equal to `None`, and `None` in JSON and in a copy.

    No object but `None` itself can make `value is None` true: ask `if not value`, `value == None` or
    `value.is_missing`.
    """

    __slots__ = ()

    is_missing = True

    @property
    def __class__(self) -> type[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """For `isinstance(value, dict)`, with which projects guard their `value.get("data")`.

        It is no dict in truth: as a dict it would be `{}` in JSON.
        """
        return dict

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or type(other) is Missing

    def __hash__(self) -> int:
        return hash(None)

    def __getitem__(self, key: str) -> None:
        if key != _WRAPPER:
            raise KeyError(key)

    def get(self, key: str, default: Any = None, /) -> Any:
        return None if key == _WRAPPER else default

    def __contains__(self, key: object) -> bool:
        return key == _WRAPPER

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def keys(self) -> tuple[()]:
        return ()

    values = items = keys

    def __json__(self) -> None:
        return None

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return (type(None), ())

    def __repr__(self) -> str:
        return "None"


MISSING: Final = Missing()


def to_state_value(value: JsonValue) -> Any:
    """`value` is what the store gave: `None` if there is nothing."""
    if value is None:
        return MISSING
    return StateDict(value) if isinstance(value, dict) else value
