"""Connecting: what is wrong is told in a way that says what to do, and what is lost comes back."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from motia.broker.address import BrokerAddress
from motia.broker.connect import Broker, connect_broker
from motia.broker.dial import compare_versions
from motia.errors import MotiaError
from tests.helpers.nats_server import NatsServer
from tests.helpers.wait_for import wait_for
from tests.integration.broker.conftest import Connect

Greeter = Callable[[dict[str, object]], Awaitable[str]]


@pytest.fixture
async def greeter() -> AsyncIterator[Greeter]:
    """Starts servers that greet as NATS does, in the version and with the features they are given."""
    servers: list[asyncio.Server] = []
    greetings: set[asyncio.Task[None] | None] = set()

    async def start(info: dict[str, object]) -> str:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            greetings.add(asyncio.current_task())
            about = {"server_id": "x", "max_payload": 1_048_576, "proto": 1, "headers": True, **info}
            writer.write(f"INFO {json.dumps(about)}\r\n".encode())
            while line := await reader.readline():
                if line.startswith(b"PING"):
                    writer.write(b"PONG\r\n")
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        servers.append(server)
        return f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
    await asyncio.wait_for(asyncio.gather(*filter(None, greetings)), 5)


async def refusal(address: BrokerAddress, timeout: float = 0.3) -> MotiaError:
    with pytest.raises(MotiaError) as caught:
        await connect_broker(address, name="test", timeout=timeout)
    return caught.value


async def test_a_server_that_is_too_old(greeter: Greeter) -> None:
    error = await refusal(BrokerAddress(await greeter({"version": "2.10.29", "jetstream": True})))
    assert (error.code, error.message) == (
        "BROKER_TOO_OLD",
        "nats-server 2.10.29 is too old: 2.14.0 or newer is needed",
    )


async def test_a_server_without_jetstream(greeter: Greeter) -> None:
    error = await refusal(BrokerAddress(await greeter({"version": "2.15.0"})))
    assert error.code == "BROKER_TOO_OLD"
    assert "--jetstream" in error.message


async def test_no_server_told_with_its_address_but_without_its_password() -> None:
    error = await refusal(BrokerAddress("nats://me:secret@127.0.0.1:1"))
    assert error.code == "BROKER_UNREACHABLE"
    assert "NATS_URL" in error.message
    assert "127.0.0.1:1" in error.message
    assert "secret" not in error.message


async def test_no_password_is_sent_in_the_clear_where_tls_is_asked_for(
    greeter: Greeter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import ssl

    authority = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.write_text(ssl.DER_cert_to_PEM_cert(ssl.create_default_context().get_ca_certs(binary_form=True)[0]))
    url = await greeter({"version": "2.15.0", "jetstream": True})
    error = await refusal(BrokerAddress(url, user="me", password="secret", ca_file=str(authority)))
    assert error.code == "BROKER_UNREACHABLE"
    assert "secure connection" in error.message


async def test_a_wrong_password_at_once() -> None:
    server = NatsServer(config="authorization { user: me, password: right }")
    try:
        started = time.monotonic()
        error = await refusal(BrokerAddress(server.url, user="me", password="wrong"), timeout=10)
        assert error.code == "BROKER_AUTH"
        assert "NATS_PASSWORD" in error.message
        assert time.monotonic() - started < 3
        broker = await connect_broker(BrokerAddress(server.url, user="me", password="right"), name="test")
        await broker.close()
    finally:
        server.stop()


async def test_waits_for_a_server_that_is_still_starting() -> None:
    server = NatsServer()
    server.signal(signal.SIGKILL)
    connecting = asyncio.ensure_future(connect_broker(BrokerAddress(server.url), name="test"))
    await asyncio.to_thread(server.start)
    broker = await connecting
    assert broker.max_payload() == 8 * 1024 * 1024
    server.stop()
    started = time.monotonic()
    await broker.close()  # does not wait for a server that is gone
    assert time.monotonic() - started < 1


async def test_a_dropped_connection_is_told_at_once_and_made_again(server: NatsServer, connect: Connect) -> None:
    events: list[str] = []
    broker = await connect(
        on_disconnect=lambda: events.append("lost"),
        on_reconnect=lambda: events.append("back"),
        on_error=events.append,
    )
    heard: list[bytes] = []
    broker.subscribe("silence", lambda message: heard.append(message.data))
    await broker.flush()
    for round in (1, 2):
        waiting = asyncio.ensure_future(broker.request("silence", b"asked", timeout=30))
        await wait_for(lambda round=round: len(heard) == 2 * round - 1)
        server.signal(signal.SIGKILL)
        with pytest.raises(MotiaError, match="dropped"):
            await asyncio.wait_for(waiting, 2)
        assert not broker.connected()
        broker.send("silence", b"sent meanwhile")  # waits for the connection, behind the subscriptions
        await asyncio.to_thread(server.start)
        await broker.when_connected(5)
        await wait_for(lambda round=round: len(heard) == 2 * round)
    assert events == ["lost", "back"] * 2
    assert heard == [b"asked", b"sent meanwhile"] * 2


async def test_a_server_that_hangs_with_much_to_read_is_left_for_another(server: NatsServer) -> None:
    """As after two pings without an answer, which takes ten seconds."""
    other = NatsServer()
    back = asyncio.Event()
    address = BrokerAddress(f"{server.url}, {other.url}")
    broker = await connect_broker(address, name="test", on_reconnect=back.set)
    hung, left = (server, other) if server.url.endswith(str(_port_of(broker))) else (other, server)
    hung.signal(signal.SIGSTOP)
    try:
        for _ in range(16):
            broker.send("a", bytes(4 * 1024 * 1024))  # more than the buffers of the sockets hold
        broker.flush_sends()
        await broker._client.force_reconnect()
        await asyncio.wait_for(back.wait(), 6)
        await broker.flush()
        assert left.url.endswith(str(_port_of(broker)))
        await broker.close()
    finally:
        hung.signal(signal.SIGCONT)
        other.stop()


def _port_of(broker: Broker) -> int | None:
    url = broker._client.connected_url
    return url and url.port


async def test_a_message_that_is_too_large_is_refused_and_the_connection_stays(connect: Connect) -> None:
    lost: list[None] = []
    broker = await connect(on_disconnect=lambda: lost.append(None))
    with pytest.raises(MotiaError, match="too large"):
        await broker.request("a", bytes(8 * 1024 * 1024 + 1))
    with pytest.raises(MotiaError, match="line break"):
        await broker.request("a", b"", {"a": "b\r\nPING"})
    await broker.flush()
    assert not lost


async def test_what_the_broker_complains_of_is_told_and_ends_nothing() -> None:
    server = NatsServer(
        config='authorization { users: [{ user: me, password: me, permissions: { publish: { deny: "secret" } } }] }'
    )
    told: list[str] = []
    broker = await connect_broker(
        BrokerAddress(server.url, user="me", password="me"), name="test", on_error=told.append
    )
    broker.send("secret", b"")
    await wait_for(lambda: any("permissions violation" in line and "secret" in line for line in told))
    broker.subscribe("empty..token", lambda _: None)
    await wait_for(lambda: any("invalid subject" in line for line in told))
    await broker.flush()
    await broker.close()
    server.stop()


async def test_a_credentials_file_that_is_not_there_is_told_by_its_name() -> None:
    with pytest.raises(FileNotFoundError, match="/not/there"):
        await connect_broker(BrokerAddress("nats://127.0.0.1:1", creds_file="/not/there"), name="test")


def test_the_address_as_the_program_writes_it() -> None:
    login = {"user": "u", "password": "secret", "credsFile": "c", "caFile": "d"}
    address = BrokerAddress.from_json({"servers": "nats://a:1", **login, "replicas": 3})
    assert address == BrokerAddress("nats://a:1", "u", "secret", "c", "d", 3)
    assert "secret" not in repr(address)
    own = {"nkeyFile": "n", "certFile": "e", "keyFile": "f", "inboxPrefix": "_I", "locked": True}
    assert BrokerAddress.from_json({"servers": "nats://a:1", **own}) == BrokerAddress(
        "nats://a:1", nkey_file="n", cert_file="e", key_file="f", inbox_prefix="_I", locked=True
    )
    assert BrokerAddress.from_json({"servers": "nats://a:1"}) == BrokerAddress("nats://a:1")


@pytest.mark.parametrize(
    ("a", "b", "sign"),
    [
        ("2.14.0", "2.14.0", 0),
        ("2.9.25", "2.14.0", -1),
        ("2.15.1", "2.14.9", 1),
        ("v2.14.0", "2.14.0", 0),
        ("2.14.0-RC.2", "2.14.0", 0),
        ("3.0.0", "2.99.99", 1),
        ("2.14", "2.14.0", 0),
        ("0", "2.14.0", -1),
    ],
)
def test_versions(a: str, b: str, sign: int) -> None:
    assert compare_versions(a, b) == sign
