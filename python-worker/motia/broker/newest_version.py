"""Which version of one language's steps is the newest, and which were so before.

It tells a worker of an older version that starts again from a new one. Without it such a start would make the older
version current again.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import orjson

from ..protocol.subjects import Names
from .connect import Broker
from .key_value import read_last, replace_entry
from .worker_lease import read_versions

Publisher = Literal["worker", "editor", "provision"]
"""Who makes a version current, which decides what it may replace.

`worker`: one that starts; not what live workers of a newer version serve. `editor`: one that follows edits; anything.
`provision`: `motia provision`; anything, and its workers are yet to come.
"""

# Versions that are remembered; what is older counts as new.
_MOST_VERSIONS: Final = 100


async def claim_newest(broker: Broker, names: Names, language: str, version: str, publisher: Publisher) -> bool:
    """Makes a version the newest of its language, unless it was so before and a newer one lives or is awaited.

    Tells whether it is the newest now.
    """
    bucket, key = names.buckets.manifest, f"newest.{language}"
    while True:
        last = await read_last(broker, bucket, key)
        before: dict[str, Any] = orjson.loads(last.data) if last and not last.removed else {"versions": []}
        versions, awaited = before["versions"], before.get("awaited", False)
        newest = versions[0] if versions else None
        is_awaited = publisher == "provision"
        if newest == version and (is_awaited or not awaited):
            return True
        was_newest = newest != version and version in versions
        if publisher == "worker" and was_newest and (awaited or newest in await read_versions(broker, names, language)):
            return False
        after: dict[str, Any] = {"versions": [version, *(one for one in versions if one != version)][:_MOST_VERSIONS]}
        if is_awaited:
            after["awaited"] = True
        if await replace_entry(broker, bucket, key, orjson.dumps(after), last.revision if last else 0):
            return True
