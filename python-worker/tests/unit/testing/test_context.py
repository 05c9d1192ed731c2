"""The context for handlers that a test calls by itself."""

from unittest.mock import call

import pytest

from motia import RevisionConflictError
from motia.testing import create_mock_context


async def test_state_is_kept_and_recorded():
    state = create_mock_context(state={"users": {"a": {"n": 1}}}).state
    assert await state.get("users", "a") == {"n": 1}
    assert not await state.get("users", "b")
    assert await state.update("users", "a", [{"type": "increment", "path": "n"}]) == {"n": 2}
    assert await state.update("users", "b", lambda current: [current]) == [None]
    assert await state.getGroup("users") == [{"n": 2}, [None]]
    entry = await state.get_entry("users", "a")
    with pytest.raises(RevisionConflictError):
        await state.set("users", "a", 5, if_revision=entry["revision"] + 1)
    assert await state.delete("users", "a") == {"n": 2}
    assert await state.list_groups() == {"items": [{"group": "users", "keys": 1}]}
    assert state.get.await_args_list == [call("users", "a"), call("users", "b")]


async def test_what_a_handler_keeps_is_a_copy():
    state = create_mock_context().state
    value = {"list": [1]}
    await state.set("g", "k", value)
    value["list"].append(2)
    assert await state.get("g", "k") == {"list": [1]}


def test_plain_handlers_and_streams():
    context = create_mock_context(sync=True, attempt=3)
    assert context.attempt == 3
    item = context.streams.chat.set("room", "m1", {"text": "hi"})
    assert item == {
        "text": "hi",
        "id": "m1",
        "_createdAt": item["_createdAt"],
        "__motia": {"type": "state-stream", "streamName": "chat", "groupId": "room", "id": "m1"},
    }
    changed = context.streams["chat"].update("room", "m1", lambda current: {**current, "text": "ho"})
    assert (changed["text"], changed["_createdAt"]) == ("ho", item["_createdAt"])
    assert context.streams.chat.get_group("room") == [changed]
    context.emit(topic="a", data=1, message_group_id="g")
    context.emit({"topic": "b", "data": 2})
    assert context.emitted("a") == [{"topic": "a", "data": 1, "messageGroupId": "g"}]
    assert len(context.emitted()) == 2
