"""Has the function of a stream run that says who may follow it: from a question's bytes to the bytes of the reply."""

from __future__ import annotations

from typing import Any, cast

from ..json_values import from_json
from .active_run import ActiveRun, enter_run
from .compose import to_call
from .run_api import refuse, reply
from .services import Services


async def run_access(run: ActiveRun, data: bytes | memoryview, services: Services) -> bytes:
    """Has the run and gives the reply frame. Never raises."""
    enter_run(run)
    step = run.step
    try:
        question = cast(dict[str, Any], from_json(bytes(data)))
        if step.call is None:
            assert step.handler is not None
            step.call = to_call(step.handler, services.executor)
        allowed = await step.call(question["subscription"], question["authContext"])
        return reply(200, {"allowed": bool(allowed)})
    except BaseException as error:
        return refuse(run, error, services)
    finally:
        run.ended = True
