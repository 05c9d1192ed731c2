"""Changes of values that are data, by the golden file that the TypeScript tests read, too."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from motia.errors import MotiaError
from motia.update_operations import apply_operations
from tests.golden import golden


@pytest.mark.parametrize("case", golden("updates.json")["updates"], ids=lambda case: case["what"])
def test_update(case: dict[str, Any]) -> None:
    before = copy.deepcopy(case["value"])
    if "error" in case:
        with pytest.raises(MotiaError) as caught:
            apply_operations(case["value"], case["operations"])
        assert caught.value.code == case["error"]
    else:
        made = apply_operations(case["value"], case["operations"])
        assert (made, type(made)) == (case["is"], type(case["is"]))
    assert case["value"] == before


def test_integers_of_any_size_are_numbers() -> None:
    assert apply_operations(10**400, [{"type": "increment"}]) == 10**400 + 1
    with pytest.raises(MotiaError, match="too large for a number"):
        apply_operations(10**400, [{"type": "increment", "by": 0.5}])


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(MotiaError, match='increment "a": there is a text, not a number'):
        apply_operations({"a": "x"}, [{"type": "increment", "path": "a"}])
