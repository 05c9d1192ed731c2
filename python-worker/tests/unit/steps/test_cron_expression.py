"""Cron expressions and time zones: what is taken, and what is said about the rest."""

from __future__ import annotations

from typing import Any

import pytest

from motia.steps import cron_expression
from motia.steps.config_schema import validate_config
from motia.steps.cron_expression import explain_cron, explain_timezone
from tests.golden import golden

_golden = golden("cron.json")
_CRON: dict[str, Any] = {"type": "cron", "name": "c", "cron": "* * * * *", "emits": []}


@pytest.mark.parametrize("example", _golden["expressions"], ids=lambda example: example["text"])
def test_expression(example: dict[str, Any]) -> None:
    assert explain_cron(example["text"]) == example["error"]


@pytest.mark.parametrize("example", _golden["timezones"], ids=lambda example: example["text"])
def test_timezone(example: dict[str, Any]) -> None:
    assert explain_timezone(example["text"]) == example["error"]


def test_a_machine_without_time_zones_leaves_it_to_the_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cron_expression, "_knows", lambda _name: False)
    assert explain_timezone("Mars/Olympus") is None


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"cron": "61 * * * *"}, "cron", 'Expected a minute from 0 to 59, and not "61"'),
        ({"cron": 5}, "cron", "Invalid input: expected string, received number"),
        ({"timezone": "Mars"}, "timezone", 'Expected the name of a time zone, such as Europe/Berlin, and not "Mars"'),
        ({"missed": "later"}, "missed", 'Invalid option: expected one of "skip"|"catchUp"'),
        ({"overlap": "yes"}, "overlap", "Invalid input: expected boolean, received string"),
    ],
)
def test_a_config_with_a_mistake_names_the_key(change: dict[str, Any], path: str, message: str) -> None:
    (issue,) = validate_config({**_CRON, **change})
    assert (issue.path, issue.message) == (path, message)


def test_a_config_may_have_all_keys_of_a_cron_step() -> None:
    assert validate_config({**_CRON, "timezone": "Asia/Tokyo", "missed": "catchUp", "overlap": True}) == []
