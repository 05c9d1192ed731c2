"""From the files of a project to the version that is served: load, provision, swap; and again at every edit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Final

from ..broker.connect import Broker
from ..broker.consumers import ensure_consumer, not_provisioned, queue_settings, sources_of, sources_taken
from ..broker.former_partitions import FormerPartitions, find_former_partitions
from ..broker.key_value import purge_entries
from ..broker.manifest_store import DEFAULT_SETTINGS, Manifest, read_manifest, replace_steps, version_of
from ..broker.newest_version import Publisher
from ..broker.worker_lease import WorkerLease
from ..errors import MotiaError
from ..ipc.wire import LoadedApp, LoadOrder
from ..log import Log
from ..protocol.subjects import Names
from ..steps.access_steps import access_steps, is_access_step
from ..steps.app_part import AppPart
from ..steps.discover import discover_steps
from .processes.pool import ProcessPool
from .step_kind import describe_step_kind
from .step_worker import StepWorker

LANGUAGE: Final = "python"
# How long until it is looked again whether the newer version is gone.
_GIVE_WAY_FOR_S: Final = 2.0
_GAVE_WAY: Final = (
    "A newer version of the app is current, and its workers live: this one serves its steps, but its routes are not "
    "served until those workers have ended or motia provision is run for it"
)


class ProjectVersions:
    """The versions of one project, one after the other."""

    def __init__(
        self,
        root: str,
        broker: Broker,
        names: Names,
        pool: ProcessPool,
        worker: StepWorker,
        lease: WorkerLease,
        log: Log,
        *,
        part: AppPart,
        watch: bool,
        provision_only: bool,
    ) -> None:
        """Serves a project.

        `part`: what is taken of the app; all of it is made ready and published. `watch`: a step that cannot be loaded
        is reported; otherwise it ends the start. `provision_only`: the broker is made ready, and no work is taken.
        """
        self._root = root
        self._broker = broker
        self._names = names
        self._pool = pool
        self._worker = worker
        self._lease = lease
        self._log = log
        self._part = part
        self._watch = watch
        self._provision_only = provision_only
        self._settings: dict[str, Any] = DEFAULT_SETTINGS
        # Entries of what the newest code and the older code that still serves have loaded, by file.
        self._loaded: dict[str, dict[str, Any]] = {}
        self._loaded_streams: dict[str, dict[str, Any]] = {}
        self._version: str | None = None
        self._former: dict[str, FormerPartitions] = {}
        self._served: list[dict[str, Any]] = []
        self._announced: dict[str, dict[str, Any]] = {}
        self._reported: set[str] = set()
        self._work = asyncio.Lock()
        # The next try to publish, while a newer version is current.
        self._later: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serves the first version.

        Raises `MotiaError` `PROJECT_INVALID` if a step cannot be loaded and nobody watches.
        """
        manifest = await read_manifest(self._broker, self._names)
        if manifest:
            self._settings = manifest["settings"]
        elif self._broker.locked:
            raise not_provisioned(f"the broker has not been made ready for {self._names.app}")
        async with self._work:
            await self._serve()

    async def reload(self) -> None:
        """Serves the newest version of the files; edits that come meanwhile are served after it."""
        async with self._work:
            began = time.perf_counter()
            try:
                await self._serve()
            except MotiaError as error:
                self._log.write(
                    "error", {"action": "reload_failed", "err": error}, f"The edit could not be served: {error.message}"
                )
                return
            ms = round((time.perf_counter() - began) * 1000)
            self._log.write("info", {"action": "reloaded", "totalMs": ms}, f"Reloaded Python steps in {ms} ms")

    def on_manifest(self, manifest: Manifest) -> None:
        """Somebody has published a manifest: ids of our steps may have changed in it, and so may settings."""
        if manifest["settings"] != self._settings:
            self._settings = manifest["settings"]
            self._pool.update_settings(self._settings)
        if not self._work.locked():
            self._follow(manifest)

    async def _serve(self) -> None:
        found = await asyncio.to_thread(discover_steps, self._root)

        async def accept(app: LoadedApp) -> list[str] | None:
            self._report(app)
            if not self._provision_only:
                self._part.check(app.steps)
            await self._prepare(app)
            if self._provision_only:
                await self._publish()
                return None
            return [one["file"] for one in (*app.steps, *app.streams)]

        order = LoadOrder(files=[*found.steps, *found.streams], settings=self._settings)
        if await self._pool.swap(order._asdict(), accept):
            await self._publish()

    async def _prepare(self, app: LoadedApp) -> None:
        """Before the new code takes over: whatever it needs on the broker is there."""
        for warning in app.warnings:
            self._warn_once(warning)
        broken = {failure["file"] for failure in app.failures}
        self._loaded = _renew(self._loaded, app.steps, broken)
        self._loaded_streams = _renew(self._loaded_streams, app.streams, broken)
        self._version = version_of(self._loaded.values(), self._loaded_streams.values())
        if self._broker.locked:
            return await self._check_sources(await self._provisioned_steps())
        await self._ensure_sources([*self._loaded.values(), *access_steps(self._loaded_streams.values())])

    async def _ensure_sources(self, steps: Iterable[dict[str, Any]]) -> None:
        steps = [*steps]
        if not self._provision_only:
            # Before they are made: what a lease names is not taken away.
            sources = [source for step in steps for source in sources_of(self._names, step)]
            await self._lease.name(sources, self._version)
        known = {source for step in self._served for source in sources_of(self._names, step)}
        wanted = [(source, step["name"]) for step in steps for source in sources_of(self._names, step)]
        # Of a step that becomes FIFO, the consumer that had all of it is narrowed only when the others are there.
        for of_groups in (True, False):
            await asyncio.gather(
                *[
                    ensure_consumer(self._broker, source, name)
                    for source, name in wanted
                    if source.is_of_groups == of_groups and source not in known
                ]
            )

        for step in steps:
            if queue_settings(step).get("type") == "fifo":
                for topic in dict.fromkeys(step["subscribes"]):
                    boundary = self._names.boundary_key(self._names.subscription(step["id"], topic))
                    await purge_entries(self._broker, self._names.buckets.delivery, boundary)  # of an earlier time
        self._former = await find_former_partitions(self._broker, self._names, steps)

    async def _provisioned_steps(self) -> list[dict[str, Any]]:
        """Where everything is made by others: our steps under the ids that they have in the manifest, if it is ours."""
        manifest = await read_manifest(self._broker, self._names)
        if manifest and (own := _own_steps(manifest)) and self._is_ours(own):
            return own
        return [*self._loaded.values(), *access_steps(self._loaded_streams.values())]

    async def _check_sources(self, steps: list[dict[str, Any]]) -> None:
        taken = {step["id"]: sources_taken(self._names, self._part, step) for step in steps}
        await self._lease.name([source for sources in taken.values() for source in sources], self._version)
        for step in steps:
            for source in taken[step["id"]]:
                await ensure_consumer(self._broker, source, step["name"])
        own = [step for step in steps if taken[step["id"]]]
        self._former = await find_former_partitions(self._broker, self._names, own)

    async def _publish(self) -> None:
        """After the new code has taken over: work for its steps is taken, and gateways hear of them."""
        if self._broker.locked:
            self._serve_steps(await self._provisioned_steps())
            return await self._lease.name()
        steps, streams = self._loaded.values(), self._loaded_streams.values()
        publisher: Publisher = "provision" if self._provision_only else "editor" if self._watch else "worker"
        manifest, warnings, gave_way = await replace_steps(
            self._broker, self._names, LANGUAGE, steps, self._take_over, streams, publisher
        )
        for warning in warnings:
            self._warn_once(warning)
        if gave_way:
            self._warn_once(_GAVE_WAY)
            self._publish_later()
        self._follow(manifest)
        if not self._provision_only:
            await self._lease.name()

    def _publish_later(self) -> None:
        """The workers of the newer version may have ended by then."""

        async def publish() -> None:
            await asyncio.sleep(_GIVE_WAY_FOR_S)
            if self._broker.closed():
                return
            try:
                async with self._work:
                    await self._publish()
            except MotiaError as error:
                fields = {"action": "publish_failed", "err": error}
                self._log.write("warn", fields, "The manifest could not be published; trying again")
                self._publish_later()

        self._later = asyncio.get_running_loop().create_task(publish())

    async def _take_over(self, manifest: Manifest) -> None:
        """Before a manifest is published: its consumers are there, and what they bring is taken."""
        own = _own_steps(manifest)
        if own != self._served:
            await self._ensure_sources(own)
            self._serve_steps(own)

    def _follow(self, manifest: Manifest) -> None:
        own = _own_steps(manifest)
        if self._is_ours(own):
            self._serve_steps(own)
            if self._watch:
                self._announce([step for step in own if not is_access_step(step)])

    def _is_ours(self, own: list[dict[str, Any]]) -> bool:
        """Otherwise a manifest speaks of another version than ours."""
        guarded = {step["file"] for step in access_steps(self._loaded_streams.values())}
        return {step["file"] for step in own} <= self._loaded.keys() | guarded

    def _serve_steps(self, own: list[dict[str, Any]]) -> None:
        if own != self._served and not self._provision_only:
            self._served = own
            self._worker.serve(own, self._former)

    def _report(self, app: LoadedApp) -> None:
        if app.failures and not self._watch:
            lines = "\n".join(failure["message"] for failure in app.failures)
            raise MotiaError("PROJECT_INVALID", f"the project cannot be started:\n{lines}")
        for failure in app.failures:
            kept = failure["file"] in self._loaded or failure["file"] in self._loaded_streams
            fields = {"action": "step_broken", **failure, "kept": kept}
            message = fields.pop("message")
            text = f"{message}\nIts last good version is still served." if kept else message
            self._log.write("error", {name: value for name, value in fields.items() if value is not None}, text)

    def _warn_once(self, warning: str) -> None:
        if warning not in self._reported:
            self._reported.add(warning)
            self._log.write("warn", {"action": "project_warning"}, warning)

    def _announce(self, steps: list[dict[str, Any]]) -> None:
        gone = self._announced
        self._announced = {step["id"]: step for step in steps}
        for step in steps:
            known = gone.pop(step["id"], None)
            if known is None:
                self._tell("step_created", "[CREATED]", step)
            elif known != step:
                self._tell("step_updated", "[UPDATED]", step)
        for step in gone.values():
            self._tell("step_removed", "[REMOVED]", step)

    def _tell(self, action: str, verb: str, step: dict[str, Any]) -> None:
        text = f"➜ {verb} Step {describe_step_kind(step)} {step['name']}"
        self._log.write("info", {"action": action, "file": step["file"]}, text)


def _own_steps(manifest: Manifest) -> list[dict[str, Any]]:
    """All that a manifest has Python workers take messages for."""
    streams = [stream for stream in manifest.get("streams", ()) if stream["language"] == LANGUAGE]
    return [*(step for step in manifest["steps"] if step["language"] == LANGUAGE), *access_steps(streams)]


def _renew(
    before: dict[str, dict[str, Any]], loaded: list[dict[str, Any]], broken: set[str]
) -> dict[str, dict[str, Any]]:
    """What was loaded, by file; files that are broken now are served as they were before."""
    return {file: entry for file, entry in before.items() if file in broken} | {one["file"]: one for one in loaded}
