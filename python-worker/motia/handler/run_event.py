"""An event run: the handler gets the payload; its failure is reported, not decided on."""

from __future__ import annotations

from ..errors import ErrorRecord, NonRetriableError, to_error_record
from ..json_values import JsonValue, from_json
from .active_run import ActiveRun, enter_run
from .compose import to_call
from .context import Context
from .guards import blame
from .services import Services


async def run_event(run: ActiveRun, payload: bytes | memoryview, services: Services) -> ErrorRecord | None:
    """Has the run. `payload` is the event's JSON. Gives the error it failed with, if it did. Never raises."""
    enter_run(run)
    try:
        value = _parse(payload)
        _check_input(run, value, services)
        step = run.step
        if step.call is None:
            assert step.handler is not None  # only noop steps have none
            step.call = to_call(step.handler, services.executor)
        await step.call(value, Context(run, services))
        if run.has_operations:
            await run.settle()
        return None
    except BaseException as thrown:
        return fail(run, thrown)
    finally:
        run.ended = True


def fail(run: ActiveRun, thrown: BaseException) -> ErrorRecord:
    """The report of what a run failed with."""
    run.abandon()
    error = blame(thrown)
    run.span.fail(error)
    return to_error_record(error)


def _parse(payload: bytes | memoryview) -> JsonValue:
    try:
        return from_json(payload) if len(payload) > 0 else None
    except ValueError as error:
        raise NonRetriableError(f"the event's payload is not JSON: {error}") from error


def _check_input(run: ActiveRun, value: JsonValue, services: Services) -> None:
    issues = run.step.validate(value) if run.step.validate else None
    if not issues:
        return
    name = run.step.entry["name"]
    services.log.write(
        "warn",
        {
            "action": "input_invalid",
            **run.identity,
            "issues": [{"path": path, "message": message} for path, message in issues],
        },
        f"An event for {name} does not fit its input schema",
    )
