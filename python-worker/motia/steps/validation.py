"""What every check answers, whichever schema it ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class ValidationIssue(NamedTuple):
    """One thing that is wrong with a value."""

    path: str
    """Where in the value, as `items.0.name`; empty for the value itself."""
    message: str


def to_issues(error: Exception) -> list[ValidationIssue]:
    """Reads the issues of a pydantic error; any other one is an issue itself."""
    read = getattr(error, "errors", None)
    issues = read() if callable(read) else None
    if not isinstance(issues, list):
        return [ValidationIssue("", str(error) or type(error).__name__)]
    return [_to_issue(issue) for issue in issues if isinstance(issue, Mapping)]


def format_issues(issues: Iterable[tuple[str, str]]) -> str:
    """One line for people: `path: message; path: message`."""
    return "; ".join(f"{path}: {message}" if path else message for path, message in issues)


def _to_issue(issue: Mapping[str, object]) -> ValidationIssue:
    location = issue.get("loc")
    path = ".".join(map(str, location)) if isinstance(location, tuple) else ""
    return ValidationIssue(path, str(issue.get("msg", "Invalid value")))
