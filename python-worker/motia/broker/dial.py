"""Making the connection: as long as it takes within a time, and with an error that says which setting to look at."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from ..errors import MotiaError
from .address import BrokerAddress, redact
from .login import LOGIN_SETTINGS, login_options
from .nats_client import NatsClient

OLDEST_SERVER = "2.14.0"
"""The first server version that has everything used here (message schedules among it)."""

_REFUSED = re.compile("authorization violation|authentication (expired|revoked)", re.IGNORECASE)


async def dial(address: BrokerAddress, name: str, timeout: float) -> NatsClient:
    """Connects within `timeout` seconds and checks the server.

    Raises `MotiaError` `BROKER_UNREACHABLE`, `BROKER_AUTH` or `BROKER_TOO_OLD`.
    """
    options = _options(address, name)
    client = NatsClient()
    try:
        await _connect(client, options, redact(address.servers), timeout)
        check_server(client.server_info)
    except BaseException:
        await client.close()
        raise
    return client


async def _connect(client: NatsClient, options: Mapping[str, Any], servers: str, timeout: float) -> None:
    failure: BaseException | None = None
    refusal: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def on_error(error: Exception) -> None:
        nonlocal failure
        failure = error
        if _REFUSED.search(str(error)) and not refusal.done():
            refusal.set_result(error)

    client.on_error = on_error
    dialing = asyncio.ensure_future(client.dial(options))
    try:
        await asyncio.wait({dialing, refusal}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if refusal.done():
            raise MotiaError(
                "BROKER_AUTH",
                f"the broker at {servers} refused the credentials: check {LOGIN_SETTINGS}",
            ) from refusal.result()
        if not dialing.done() or (failure := dialing.exception()) is not None:
            raise MotiaError(
                "BROKER_UNREACHABLE",
                f"no broker answers at {servers} ({text_of(failure)}): is nats-server running, and is NATS_URL right?",
            ) from failure
    finally:
        dialing.cancel()


def _options(address: BrokerAddress, name: str) -> dict[str, Any]:
    return {
        **login_options(address),
        "servers": [server.strip() for server in address.servers.split(",")],
        "name": name,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.05,
        # A hung host is noticed after 10 to 15 s instead of the client's six minutes.
        "ping_interval": 5,
        "max_outstanding_pings": 2,
        "connect_timeout": 2,
    }


def check_server(info: Mapping[str, Any]) -> None:
    """Raises `MotiaError` `BROKER_TOO_OLD` for a server that lacks what is used here."""
    version = str(info.get("version", "0"))
    if compare_versions(version, OLDEST_SERVER) < 0:
        raise MotiaError("BROKER_TOO_OLD", f"nats-server {version} is too old: {OLDEST_SERVER} or newer is needed")
    if info.get("jetstream") is not True:
        raise MotiaError(
            "BROKER_TOO_OLD",
            "the nats-server runs without JetStream: start it with --jetstream, or enable JetStream for the account",
        )


def compare_versions(a: str, b: str) -> int:
    """Negative, zero or positive, as `a` is older than, the same as or newer than `b`. Pre-release tags are ignored."""
    left, right = _numbers(a), _numbers(b)
    return (left > right) - (left < right)


def _numbers(version: str) -> list[int]:
    parts = [int(part) if part.isdigit() else 0 for part in re.split(r"[.-]", version.removeprefix("v"))[:3]]
    return parts + [0] * (3 - len(parts))


def text_of(error: BaseException | None) -> str:
    """What an error says, or its kind when it says nothing; without logins."""
    if error is None:
        return "no answer"
    return redact(str(error) or type(error).__name__)
