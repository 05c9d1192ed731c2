"""What a cron expression may say. Both workers have these rules, so that a mistake is told where it was made;
`golden/cron.json` holds them together. What an expression means is the scheduler's to know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    """With its article."""
    min: int
    max: int
    words: tuple[str, ...] = ()
    """Three letters each, in the order of their numbers from `min` on."""


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FULL_WORDS = re.compile(
    rf"\b({'|'.join(_MONTHS + _WEEKDAYS)})"
    r"(uary|ruary|ch|il|e|y|ust|tember|ober|ember|day|sday|nesday|rsday|urday)\b"
)

_DAY = _Field("a day of month", 1, 31)
_MONTH = _Field("a month", 1, 12, _MONTHS)
_WEEKDAY = _Field("a day of week", 0, 7, _WEEKDAYS)
_FIELDS = (_Field("a second", 0, 59), _Field("a minute", 0, 59), _Field("an hour", 0, 23), _DAY, _MONTH, _WEEKDAY)

_SHORTHANDS: Final = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LONGEST: Final = 1_000

_NTH = re.compile(r"(\w+)#[1-5]", re.ASCII)
_ITEM = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/([0-9]{1,4}))?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,4}")


def explain_cron(expression: str) -> str | None:
    """What is wrong with an expression; `None` if nothing is."""
    text = expression.strip().lower()
    if text.startswith("@"):
        return None if text in _SHORTHANDS else f"Expected one of {', '.join(_SHORTHANDS)}"
    fields = re.sub("-sun\\b", "-7", _FULL_WORDS.sub(r"\1", text)).split()
    if len(fields) not in (5, 6, 7):
        return f"Expected 5 fields, or 6 with leading seconds, and not {len(fields)}"
    if len(text) > _LONGEST:
        return f"Expected {_LONGEST} characters at most"
    # Motia 0.x let a seventh field pass and took no notice of it.
    fields = ["0", *fields] if len(fields) == 5 else fields[:6]
    for part, field in zip(fields, _FIELDS, strict=True):
        if not _is_field(part, field):
            return f'Expected {field.name} from {field.min} to {field.max}, and not "{part}"'
    day, month, weekday = fields[3:]
    if weekday == "*" and not _comes_ever(day, month):
        return f"There is no day {day} in month {month}"
    return None


def explain_timezone(name: str) -> str | None:
    """What is wrong with the name of a time zone; `None` if nothing is, or this machine does not know any."""
    if re.match("[A-Za-z]", name) and (_knows(name) or not _knows("Europe/Berlin")):
        return None
    return f'Expected the name of a time zone, such as Europe/Berlin, and not "{name}"'


def _knows(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, no name at all, a folder of them
        return False
    return True


def _is_field(text: str, field: _Field) -> bool:
    """`*`, values and ranges, each with a step if wanted, and lists of them; for the day of week also `1#2`."""
    nth = _NTH.fullmatch(text) if field is _WEEKDAY else None
    if nth:
        return _value_of(nth[1], field) is not None
    return all(_values_of(item, field) is not None for item in text.split(","))


def _values_of(item: str, field: _Field) -> range | None:
    """The values of one item of a list."""
    match = _ITEM.fullmatch(item)
    if match is None:
        return None
    everything, start, end, step = match.groups()
    first = field.min if everything else _value_of(start, field)
    last = field.max if everything or (end is None and step) else first
    if end is not None:
        last = _value_of(end, field)
    if first is None or last is None or first > last or (step and int(step) == 0):
        return None
    return range(first, last + 1, int(step or 1))


def _value_of(text: str, field: _Field) -> int | None:
    if text in field.words:
        return field.min + field.words.index(text)
    value = int(text) if _NUMBER.fullmatch(text) else -1
    return value if field.min <= value <= field.max else None


def _comes_ever(day: str, month: str) -> bool:
    """Not so for the 30th of February."""
    earliest = min(value for item in day.split(",") for value in _values_of(item, _DAY) or ())
    months = (value for item in month.split(",") for value in _values_of(item, _MONTH) or ())
    return any(_LONGEST_MONTHS[value - 1] >= earliest for value in months)
