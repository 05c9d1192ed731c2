"""Payloads as spans bear them."""

from __future__ import annotations

from typing import Any

import pytest

from motia.payloads import Payloads, create_payloads
from motia.redaction import Redaction
from tests.golden import golden


@pytest.mark.parametrize("case", golden("payloads.json")["payloads"], ids=lambda case: case["what"])
def test_golden(case: dict[str, Any]) -> None:
    assert Payloads(Redaction(case["redact"])).json(case["json"].encode()) == case["record"]


def test_large() -> None:
    payloads = Payloads(Redaction())
    data = b'"%s"' % (b"x" * 20_000)
    cut = {"contentType": "application/json", "bytes": 20_002, "text": data[:16_384].decode(), "truncated": True}
    assert payloads.json(data) == cut
    data = b"[" * 400 + b"]" * 400
    assert payloads.json(data) == {"contentType": "application/json", "bytes": 800, "truncated": True}
    data = b'"%s"' % (b"x" * 1024**2)
    assert "text" not in payloads.json(data)


def test_where_they_are_kept() -> None:
    environment: Any = {"stored": True, "disabled": False, "payloads": True}
    assert create_payloads({}, environment) is not None
    assert create_payloads({"telemetry": {"payloads": False}}, environment) is None
    assert create_payloads({}, environment | {"payloads": False}) is None
    assert create_payloads({"telemetry": {"payloads": True}}, environment | {"payloads": False}) is not None
    assert create_payloads({}, environment | {"stored": False}) is None
