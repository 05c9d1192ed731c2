"""Starts handler processes: a small process that has loaded all their modules and forks itself.

It starts a handler process in a few milliseconds, and all of them share the memory of what was loaded. It runs no event
loop and no thread, which is what makes its forks safe, and no user code.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import select
import signal
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

# What the zygote tells: `P` and the number of a request with the pid that came of it, `X` and a pid with its status.
_NOTICE: Final = struct.Struct("<cqq")
_ORDER: Final = struct.Struct("<q")
_FDS_PER_CHILD: Final = 2

ChildMain = Callable[[int, int, int], int]
"""What a handler process does: `(index, socket, read end of its tickets) -> exit code`."""


class Zygote:
    """The broker process's side. Make it before the event loop and any thread."""

    def __init__(self, child_main: ChildMain, closed_in_children: Sequence[int]) -> None:
        """`closed_in_children`: file descriptors that handler processes have no business with."""
        ours, theirs = socket.socketpair()
        gc.freeze()  # what is there now is shared with all children: the collector does not touch it
        self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            _run(theirs, child_main, closed_in_children)
        theirs.close()
        ours.setblocking(False)
        self._control = ours
        self._requests: list[tuple[bytes, list[int], asyncio.Future[int]]] = []
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._unread = b""
        self._on_exit: Callable[[int, int], None] = lambda pid, status: None

    def attach(self, on_exit: Callable[[int, int], None], on_lost: Callable[[], None]) -> None:
        """Begins to listen on the running event loop. `on_exit` hears pid and wait status of each child that ended,
        `on_lost` that the zygote itself did: no child can be started any more."""
        self._on_exit = on_exit
        loop = asyncio.get_running_loop()
        loop.add_reader(self._control, self._read, loop, on_lost)

    async def spawn(self, index: int, fds: tuple[int, int]) -> int:
        """Forks a child with copies of these file descriptors. Gives its pid."""
        pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        number = id(pid)
        self._waiting[number] = pid
        socket.send_fds(self._control, [_ORDER.pack(number) + _ORDER.pack(index)], fds)
        return await pid

    def close(self) -> None:
        """Ends the zygote, and with it every child that is left."""
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _read(self, loop: asyncio.AbstractEventLoop, on_lost: Callable[[], None]) -> None:
        try:
            data = self._control.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            loop.remove_reader(self._control)
            on_lost()
            return
        data = self._unread + data
        whole = len(data) - len(data) % _NOTICE.size
        self._unread = data[whole:]
        for kind, subject, value in _NOTICE.iter_unpack(data[:whole]):
            if kind == b"X":
                self._on_exit(subject, value)
            elif (pid := self._waiting.pop(subject, None)) and not pid.done():
                pid.set_result(value)


def _run(control: socket.socket, child_main: ChildMain, closed_in_children: Sequence[int]) -> NoReturn:
    """The zygote's life. It ends when the broker process does, and takes its children along."""
    for fd in closed_in_children:
        os.close(fd)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    # Handlers of our own and not SIG_IGN, which programs started by user code would inherit.
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    children: set[int] = set()
    while True:
        readable, _, _ = select.select([control, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 512)
            _reap(control, children)
        if control not in readable:
            continue
        order, fds, _, _ = socket.recv_fds(control, 2 * _ORDER.size, _FDS_PER_CHILD)
        if not order:
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os._exit(0)
        (number,), (index,) = _ORDER.unpack(order[: _ORDER.size]), _ORDER.unpack(order[_ORDER.size :])
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for fd in (control.detach(), wake_read, wake_write):
                os.close(fd)
            code = 1
            try:
                code = child_main(index, *fds)
            finally:
                os._exit(code)
        children.add(pid)
        for fd in fds:
            os.close(fd)
        _tell(control, b"P", number, pid)


def _reap(control: socket.socket, children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        _tell(control, b"X", pid, status)


def _tell(control: socket.socket, kind: bytes, subject: int, value: int) -> None:
    with contextlib.suppress(OSError):  # the broker process is gone: the next read says so
        control.sendall(_NOTICE.pack(kind, subject, value))
