"""A limit of whatever makes an event wait."""

from typing import Final

LONGEST_WAIT_S: Final = 31 * 24 * 3600
"""Longest that an event may be told to wait, before its first attempt or between two. 31 days, in seconds."""
