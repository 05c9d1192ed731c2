"""Which fields of log records are not told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

REDACTED: Final = "[redacted]"

# Whatever stands under such a name is a secret. Written in any case, with or without dashes and underscores.
_SECRETS: Final = frozenset(
    (
        *("authorization", "proxyauthorization", "cookie", "setcookie"),
        *("password", "passwd", "passphrase", "secret", "clientsecret", "privatekey", "credentials"),
        *("token", "accesstoken", "refreshtoken", "idtoken", "authtoken", "bearertoken", "csrftoken", "apitoken"),
        *("apikey", "xapikey", "secretkey", "accesskey"),
    )
)
# Keys that were looked at are remembered, as long as they are not that many.
_MOST_REMEMBERED: Final = 10_000


class Redaction:
    """`more` are names, meant wherever they are, and paths from the top: `user.*.card`."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        more = list(more)
        self._names = _SECRETS | {_simplify(name) for name in more if "." not in name}
        self._paths = [path.split(".") for path in more if "." in path]
        self._known: dict[str, bool] = {}

    def hides(self, key: str, around: Sequence[str]) -> bool:
        """Whether the value of a key is not told. `around` has the keys above it, from the top."""
        return self._is_secret(key) or any(_fits(path, [*around, key]) for path in self._paths)

    def _is_secret(self, key: str) -> bool:
        secret = self._known.get(key)
        if secret is None:
            secret = _simplify(key) in self._names
            if len(self._known) < _MOST_REMEMBERED:
                self._known[key] = secret
        return secret


DEFAULT_REDACTION: Final = Redaction()


def _simplify(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _fits(path: Sequence[str], keys: Sequence[str]) -> bool:
    return len(path) == len(keys) and all(part in ("*", key) for part, key in zip(path, keys, strict=True))
