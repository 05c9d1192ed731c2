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


def numbered_id(content_id: str, before: int) -> str:
    """The id of an event that its run has emitted just so `before` times already."""
    return content_id if before == 0 else f"{content_id}.{before}"
