"""Where the broker is, and how to log in there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LOGIN = re.compile(r"//[^@/]*@")


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Address and login."""

    servers: str
    """One or more `nats://host:port`, separated by commas; never with a password in them."""
    user: str | None = None
    password: str | None = None
    creds_file: str | None = None
    """Path of a NATS credentials file."""
    ca_file: str | None = None
    """Path of a PEM file with the certificate authority of the server."""
    replicas: int = 1
    """On how many of its servers each broker stream is kept."""
    nkey_file: str | None = None
    """Path of a file with the seed of an nkey."""
    cert_file: str | None = None
    """Path of a PEM file with the certificate that this client shows to the server."""
    key_file: str | None = None
    """Path of a PEM file with the key of that."""
    inbox_prefix: str | None = None
    """What the subjects begin with that answers come to; without it what goes with the nkey."""
    locked: bool = False
    """Nothing is made on this broker: `motia provision` does it, and everyone else has no permission to."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> BrokerAddress:
        """Reads the settings as the `motia` program writes them."""
        return cls(
            servers=value["servers"] or "",
            user=value.get("user"),
            password=value.get("password"),
            creds_file=value.get("credsFile"),
            nkey_file=value.get("nkeyFile"),
            ca_file=value.get("caFile"),
            cert_file=value.get("certFile"),
            key_file=value.get("keyFile"),
            inbox_prefix=value.get("inboxPrefix"),
            locked=value.get("locked") or False,
            replicas=value.get("replicas") or 1,
        )

    def __repr__(self) -> str:
        return f"BrokerAddress({redact(self.servers)})"


def redact(text: str) -> str:
    """Replaces logins in URLs, for messages."""
    return _LOGIN.sub("//***@", text)
