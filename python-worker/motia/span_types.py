"""What spans are described with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

SpanKind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]
AttributeValue: TypeAlias = str | int | float | bool | Sequence[str] | Sequence[int] | Sequence[float] | Sequence[bool]
Attributes: TypeAlias = Mapping[str, AttributeValue]
