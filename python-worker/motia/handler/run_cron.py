"""A cron run: the handler gets nothing but the context. Its failure is told here, and not tried again."""

from __future__ import annotations

from ..errors import ErrorRecord
from .active_run import ActiveRun, enter_run
from .compose import to_call
from .context import Context
from .run_event import fail
from .services import Services


async def run_cron(run: ActiveRun, services: Services) -> ErrorRecord | None:
    """Has the run. Gives the error it failed with, if it did. Never raises."""
    enter_run(run)
    step = run.step
    try:
        if step.call is None:
            assert step.handler is not None  # only noop steps have none
            step.call = to_call(step.handler, services.executor)
        await step.call(Context(run, services))
        if run.has_operations:
            await run.settle()
        return None
    except BaseException as thrown:
        error = fail(run, thrown)
        name = step.entry["name"]
        fields = {"action": "run_failed", **run.identity, "err": error}
        services.log.write("error", fields, f"{name} failed: {error['message']}")
        return error
    finally:
        run.ended = True
