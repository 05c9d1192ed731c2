"""State values read as the documentation of Motia 0.17 shows them, and as its code gave them."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import orjson
import pytest

from motia.handler.state_value import MISSING, to_state_value
from motia.json_values import to_json
from motia.safe_fields import safe_fields


class TestADict:
    STORED: dict[str, Any] = {"id": 7, "tags": ["a"]}  # noqa: RUF012

    def value(self, stored: dict[str, Any] | None = None) -> Any:
        return to_state_value(dict(self.STORED if stored is None else stored))

    def test_reads_directly_and_through_the_wrapper(self) -> None:
        value = self.value()
        assert (value["id"], value.get("id"), value.get("no"), value.get("no", 1)) == (7, 7, None, 1)
        assert value["data"] == value.get("data") == value.get("data", {}) == self.STORED
        assert value["data"]["id"] == value.get("data").get("id") == 7
        assert "data" in value
        assert isinstance(value, dict)
        assert value

    def test_the_wrapper_is_not_there(self) -> None:
        value = self.value()
        assert value == self.STORED
        assert len(value) == 2
        assert list(value) == list(value.keys()) == ["id", "tags"]
        assert dict(value) == {**value} == value | {} == copy.deepcopy(value) == self.STORED
        assert json.loads(json.dumps(value)) == orjson.loads(to_json([value]))[0] == self.STORED
        assert pickle.loads(pickle.dumps(value)) == self.STORED

    def test_a_change_through_the_wrapper_is_a_change_of_the_value(self) -> None:
        value = self.value()
        value["data"]["id"] = 8
        assert value["id"] == 8

    def test_a_key_of_that_name_is_its_own(self) -> None:
        value = self.value({"data": None, "id": 7})
        assert value["data"] is None
        assert value.get("data", "other") is None
        assert self.value({"data": {"x": 1}})["data"] == {"x": 1}

    def test_an_unknown_key_raises(self) -> None:
        with pytest.raises(KeyError, match="no"):
            self.value()["no"]


class TestAMiss:
    def test_is_falsy_and_equals_none(self) -> None:
        value = to_state_value(None)
        assert value.is_missing
        assert not value
        assert (value == None) is True  # noqa: E711  # how handlers have to ask
        assert (None == value) is True  # noqa: E711, SIM300
        assert value != {}
        assert (value or "default") == "default"
        assert hash(value) == hash(None)

    def test_reads_as_the_wrapper_of_nothing(self) -> None:
        assert MISSING.get("data") is None
        assert MISSING["data"] is None
        assert (MISSING.get("id"), MISSING.get("id", 1)) == (None, 1)
        assert "data" in MISSING
        assert isinstance(MISSING, dict)  # with which projects guard the line before
        assert (len(MISSING), list(MISSING), dict(MISSING)) == (0, [], {})
        with pytest.raises(KeyError):
            MISSING["id"]

    def test_is_none_in_json_in_a_copy_and_in_the_log(self) -> None:
        assert to_json(MISSING) == b"null"
        assert to_json({"user": MISSING, "big": 2**70}) == b'{"user":null,"big":%d}' % 2**70
        assert pickle.loads(pickle.dumps([MISSING])) == [None]
        assert copy.deepcopy({"user": MISSING})["user"] is None
        assert safe_fields({"user": MISSING}) == {"user": None}
        assert f"{MISSING}" == "None"


@pytest.mark.parametrize("value", [0, False, "", [], [{"data": 1}], "text", 1.5])
def test_any_other_value_comes_as_it_is(value: object) -> None:
    assert to_state_value(value) is value  # type: ignore[arg-type]
