"""The manifest on the broker: one entry per version, and `current` naming the one that gateways serve."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

import orjson

from ..errors import MotiaError
from ..protocol.headers import PROTOCOL_VERSION
from ..protocol.subjects import Names
from ..steps.manifest import StepEntry, StreamEntry, manifest_version
from ..steps.merge import merge_steps, merge_streams
from .connect import Broker
from .key_value import read_entry, read_last, replace_entry, write_entry
from .key_watch import KeyWatch
from .newest_version import Publisher, claim_newest

Manifest: TypeAlias = dict[str, Any]
"""What gateway, scheduler and tools know of an app: `Manifest` of `shared/steps/manifest.ts`."""

DEFAULT_SETTINGS = {
    "bodyLimit": 10 * 1024 * 1024,
    "corsOrigins": "*",
    "timeoutMs": 30_000,
    "validation": "warn",
    # Nobody follows streams before it is known who may.
    "streamAuth": True,
}
"""Settings of the HTTP gateway until the program that reads `motia.config` has published its own."""

_CURRENT = "current"


async def read_manifest(broker: Broker, names: Names, version: str | None = None) -> Manifest | None:
    """A stored manifest, by default the current one."""
    if version is None:
        entry = await read_entry(broker, names.buckets.manifest, _CURRENT)
        if entry is None:
            return None
        version = entry.data.decode()
    entry = await read_entry(broker, names.buckets.manifest, _key(version))
    return orjson.loads(gzip.decompress(entry.data)) if entry else None


class Publication(NamedTuple):
    """What has come of publishing steps."""

    manifest: Manifest
    """As it is now, or would be."""
    warnings: list[str]
    """One for each name and route that is used twice."""
    gave_way: bool = False
    """It was left as it is, because workers of a newer version live."""


def version_of(own_steps: Iterable[StepEntry], own_streams: Iterable[StreamEntry]) -> str:
    """What tells the steps and streams of one language from those of its other versions."""
    return manifest_version({"steps": list(own_steps), "streams": list(own_streams)})


async def replace_steps(
    broker: Broker,
    names: Names,
    language: str,
    own_steps: Iterable[StepEntry],
    prepare: Callable[[Manifest], Awaitable[None]] | None = None,
    own_streams: Iterable[StreamEntry] = (),
    publisher: Publisher = "worker",
) -> Publication:
    """Makes `own_steps` the steps of one language in the current manifest, and `own_streams` its streams. Others stay.

    Any number of processes may do so at a time: who is late reads again what the others wrote. Nothing is written when
    nothing changes. `prepare` is awaited before a manifest is published, so that whoever learns of a step from it finds
    everything in place.
    """
    own, own_streams, bucket = list(own_steps), list(own_streams), names.buckets.manifest
    own_version = version_of(own, own_streams)
    while True:
        last = await read_last(broker, bucket, _CURRENT)
        # After the read: whoever makes a newer version current meanwhile has claimed that before, or changes what was
        # read here.
        is_newest = await claim_newest(broker, names, language, own_version, publisher)
        current = await read_manifest(broker, names, last.data.decode()) if last and not last.removed else None
        steps, warnings = merge_steps(current["steps"] if current else [], own, language)
        known_streams = current.get("streams", ()) if current else ()
        streams, stream_warnings = merge_streams(known_streams, own_streams, language)
        warnings += stream_warnings
        settings = current["settings"] if current else DEFAULT_SETTINGS
        contents = {"protocol": PROTOCOL_VERSION, "app": names.app, "steps": steps, "settings": settings}
        if streams:
            contents["streams"] = streams
        version = manifest_version(contents)
        manifest = {**contents, "version": version}
        if current is not None and current["version"] == version:
            return Publication(current, warnings, gave_way=not is_newest)
        if prepare:
            await prepare(manifest)
        if not is_newest:
            return Publication(manifest, warnings, gave_way=True)
        await write_entry(broker, bucket, _key(version), gzip.compress(orjson.dumps(manifest)))
        if await replace_entry(broker, bucket, _CURRENT, version.encode(), last.revision if last else 0):
            return Publication(manifest, warnings)


class ManifestWatch:
    """Calls back with the current manifest. Made by `watch_manifest`."""

    def __init__(self, broker: Broker, names: Names, on_manifest: Callable[[Manifest], object]) -> None:
        self._broker = broker
        self._names = names
        self._on_manifest = on_manifest
        self._wanted: str | None = None
        self._reading: asyncio.Task[None] | None = None
        self._watch = KeyWatch(broker, names.buckets.manifest, _CURRENT, self._on_version)

    async def open(self) -> None:
        """Begins to watch."""
        await self._watch.open()

    async def close(self) -> None:
        """Ends the watch: nothing is called any more."""
        self._wanted = None
        if self._reading is not None:
            self._reading.cancel()
        await self._watch.close()

    def _on_version(self, version: bytes) -> None:
        self._wanted = version.decode()
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while (version := self._wanted) is not None:  # of several that come meanwhile the last
            self._wanted = None
            with suppress(MotiaError):
                manifest = await read_manifest(self._broker, self._names, version)
                if manifest is not None:
                    self._on_manifest(manifest)


async def watch_manifest(broker: Broker, names: Names, on_manifest: Callable[[Manifest], object]) -> ManifestWatch:
    """Calls back with the current manifest, now if there is one and at every change. End it with its `close()`.

    Raises `MotiaError` if the bucket is not there within 15 s.
    """
    watch = ManifestWatch(broker, names, on_manifest)
    await watch.open()
    return watch


def _key(version: str) -> str:
    return f"v.{version}"
