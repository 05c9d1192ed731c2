"""The list of steps that workers of several languages make together, and its version, by the golden file of both."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from motia.steps.canonical_json import canonical_json
from motia.steps.manifest import manifest_version
from motia.steps.merge import merge_steps, merge_streams
from tests.golden import golden

_golden = golden("manifest.json")


@pytest.mark.parametrize("case", _golden["merges"], ids=lambda case: case["what"])
def test_merge(case: dict[str, Any]) -> None:
    current, own, language = copy.deepcopy((case["current"], case["own"], case["language"]))
    before = {step["file"]: step for step in [*current, *own]}
    steps, warnings = merge_steps(current, own, language)
    assert steps == [{**before[file], "id": id} for file, id in case["steps"]]
    assert warnings == case["warnings"]
    assert (current, own) == (case["current"], case["own"])  # which are left as they were
    again, _ = merge_steps(steps, [step for step in steps if step["language"] == language], language)
    assert again == steps


@pytest.mark.parametrize("case", _golden["streams"], ids=lambda case: case["what"])
def test_merge_of_streams(case: dict[str, Any]) -> None:
    by_file = {stream["file"]: stream for stream in [*case["current"], *case["own"]]}
    streams, warnings = merge_streams(case["current"], case["own"], case["language"])
    assert streams == [by_file[file] for file in case["files"]]
    assert warnings == case["warnings"]


@pytest.mark.parametrize("case", _golden["versions"], ids=lambda case: case["what"])
def test_version(case: dict[str, Any]) -> None:
    contents = {"protocol": 1, **case["contents"]}
    assert canonical_json(contents) == case["canonical"]
    assert manifest_version(contents) == case["version"]


def test_what_is_no_plain_data_has_no_canonical_form() -> None:
    with pytest.raises(TypeError, match="set is no plain data"):
        canonical_json({"a": [{1}]})
