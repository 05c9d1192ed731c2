"""The refusal of a request that cannot be parsed."""

from __future__ import annotations

from typing import Literal


class BadRequest(Exception):
    """The message is written for the client: it never tells about the inside of the server.

    `status` is 400 for malformed, 413 for larger than allowed, 415 for a form that is not understood.
    """

    def __init__(self, status: Literal[400, 413, 415], message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
