"""Identity of the events that a run emits."""

from __future__ import annotations

import base64
import hashlib

from .encoding import to_utf8


def event_content_id(run_id: str, step_id: str, topic: str, json: bytes) -> str:
    """The id of an event emitted by a handler: the same when its run is had again and emits the same.

    `run_id` is the id of the run's own message, `json` the payload. `numbered_id` tells the events apart that one run
    emits more than once.
    """
    identity = hashlib.sha1(to_utf8(f"{run_id}\0{step_id}\0{topic}\0"), usedforsecurity=False)
    identity.update(json)
    return base64.urlsafe_b64encode(identity.digest()).rstrip(b"=").decode()


def given_message_id(topic: str, id: str) -> str:
    """The message id of an event that was emitted with an id: ids count for the whole app, in each topic by itself."""
    # No id that is made of a run begins with \0: an id of the emitter's own is never one of those.
    identity = hashlib.sha1(to_utf8(f"\0{topic}\0{id}"), usedforsecurity=False)
    return base64.urlsafe_b64encode(identity.digest()).rstrip(b"=").decode()


def numbered_id(content_id: str, before: int) -> str:
    """The id of an event that its run has emitted just so `before` times already."""
    return content_id if before == 0 else f"{content_id}.{before}"
