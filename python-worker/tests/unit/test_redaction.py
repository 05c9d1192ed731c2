"""Which fields of log records are not told."""

from __future__ import annotations

from motia.redaction import Redaction
from motia.safe_fields import safe_fields


def test_secrets_are_left_out_wherever_they_are_and_however_their_names_are_written() -> None:
    fields = {
        "password": "s",
        "headers": {"Authorization": "s", "set-cookie": ["s"], "accept": "*/*"},
        "users": [{"api_key": "s", "name": "Ann", "accessToken": None}],
        "tokens": 3,
    }
    assert safe_fields(fields) == {
        "password": "[redacted]",
        "headers": {"Authorization": "[redacted]", "set-cookie": "[redacted]", "accept": "*/*"},
        "users": [{"api_key": "[redacted]", "name": "Ann", "accessToken": "[redacted]"}],
        "tokens": 3,
    }


def test_and_so_are_what_a_project_names_and_what_a_path_leads_to() -> None:
    redaction = Redaction(["ssn", "user.*.card", "list.0.id"])
    user = {"card": 3, "first": {"card": 4, "cards": 5}, "deep": {"er": {"card": 6}}}
    fields = {"SSN": 1, "card": 2, "user": user, "list": [{"id": 7}, {"id": 8}]}
    assert safe_fields(fields, redaction) == {
        "SSN": "[redacted]",
        "card": 2,
        "user": {"card": 3, "first": {"card": "[redacted]", "cards": 5}, "deep": {"er": {"card": 6}}},
        "list": [{"id": "[redacted]"}, {"id": 8}],
    }
