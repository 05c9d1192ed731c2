"""How a connection proves who it is, and where its answers come to."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import nkeys

from ..errors import MotiaError
from ..protocol.subjects import inbox_prefix
from .address import BrokerAddress

LOGIN_SETTINGS = "NATS_NKEY, NATS_CREDS, or NATS_USER and NATS_PASSWORD"
"""The settings to look at when a login is refused."""


def login_options(address: BrokerAddress) -> dict[str, Any]:
    """The options of a connection that concern its login.

    Raises `MotiaError` `INVALID_VALUE` for a seed that cannot be used.
    """
    options: dict[str, Any] = {}
    prefix = address.inbox_prefix
    if address.user is not None:
        options["user"] = address.user
    if address.password is not None:
        options["password"] = address.password
    if address.creds_file is not None:
        Path(address.creds_file).stat()  # told now, and not as a broker that does not answer
        options["user_credentials"] = address.creds_file
    if address.nkey_file is not None:
        seed, public_key = _read_seed(address.nkey_file)
        options["nkeys_seed_str"] = seed
        prefix = prefix or inbox_prefix(public_key)
    if prefix is not None:
        options["inbox_prefix"] = prefix
    if address.ca_file is not None or address.cert_file is not None or address.key_file is not None:
        options["tls"] = ssl.create_default_context(cafile=address.ca_file)
        if address.cert_file is not None:
            options["tls"].load_cert_chain(address.cert_file, address.key_file)
    return options


def _read_seed(path: str) -> tuple[str, str]:
    """The seed and its public key. The message never has what is in the file: it may be a secret all the same."""
    try:
        seed = Path(path).read_text().strip()
        return seed, bytes(nkeys.from_seed(seed.encode()).public_key).decode()
    except (OSError, ValueError, nkeys.NkeysError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not the seed of a user"
        raise MotiaError("INVALID_VALUE", f"the file of NATS_NKEY, {path}, cannot be used: {why}") from None
