"""What user code may do to its process: an error outside of any await, or `sys.exit`, ends its own run at most."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, NoReturn

from ..errors import MotiaError, to_error_record
from ..log import Log
from .active_run import ActiveRun, current_run


def blame(thrown: BaseException) -> BaseException:
    """The error that a run failed with, for what came out of its handler."""
    if isinstance(thrown, SystemExit):
        message = f"the handler called sys.exit({'' if thrown.code is None else thrown.code})"
    elif isinstance(thrown, asyncio.CancelledError):
        message = "the handler was cancelled"
    else:
        return thrown
    return MotiaError("RUN_CUT_OFF", message).with_traceback(thrown.__traceback__)


def install_guards(loop: asyncio.AbstractEventLoop, log: Log, on_exit: Callable[[ActiveRun], None]) -> None:
    """Logs errors of tasks, callbacks and threads that nobody waits for, with the run they come from if it is known.

    `on_exit` hears of a run that is about to end the process with `os._exit`, from whichever thread or callback.
    """

    def on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        _tell(log, context.get("exception"), context["message"], _run_of(context))

    def on_thread_error(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            _tell(log, args.exc_value, str(args.exc_value), current_run.get())

    end_process, process = os._exit, os.getpid()

    def exit_(status: int) -> NoReturn:
        run = current_run.get()
        if run is not None and os.getpid() == process:  # and not in a child that user code has forked
            on_exit(run)
        end_process(status)

    os._exit = exit_
    loop.set_exception_handler(on_loop_error)
    threading.excepthook = on_thread_error


def run_guarded(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, None], log: Log) -> None:
    """Runs the loop until `main` is done, also when a task of user code calls `sys.exit`."""
    task = loop.create_task(main)
    while not task.done():
        try:
            loop.run_until_complete(task)
        except SystemExit as error:
            _tell(log, blame(error), str(blame(error)), None)
    task.result()


def _tell(log: Log, error: BaseException | None, message: str, run: ActiveRun | None) -> None:
    fields: dict[str, object] = {"action": "unhandled_error"}
    if run is not None:
        fields |= run.identity
    if error is not None:
        fields["err"] = record = to_error_record(error)
        message = record["message"]
    log.write("error", fields, f"Unhandled error outside of a run: {message}")


def _run_of(context: dict[str, Any]) -> ActiveRun | None:
    """Python tells which context a task or callback ran in since 3.12."""
    holder = context.get("task") or context.get("future") or context.get("handle")
    get_context: Callable[[], Context] | None = getattr(holder, "get_context", None)
    return get_context().get(current_run) if get_context else current_run.get()
