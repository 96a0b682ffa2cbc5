"""A real server on loopback, in a thread of its own, so that ordinary and async tests can use it."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

from switchgear_http.testing.faults import Fault
from switchgear_http.testing.wire import Received, Reply, Wire

App = Callable[[Received], Reply]


class LocalServer:
    """Answers with what `app` makes of a request, unless `fault` says otherwise.

    `fault` may be set at any time: one of `FAULTS`, or a function from the request to one, or None. `received` is what
    has arrived, `open` and `most_open` count connections. Use it as a context manager; `url` has no slash at its end.
    """

    def __init__(self, app: App, *, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.open = 0
        self.most_open = 0
        self._app = app
        self._tls = tls
        self._fault: Fault | Callable[[Received], Fault | None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local-server", daemon=True)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._port}"

    @property
    def fault(self) -> Fault | Callable[[Received], Fault | None] | None:
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | Callable[[Received], Fault | None] | None) -> None:
        refuse = isinstance(fault, Fault) and fault.play is None
        if refuse:
            self._run(self._close())
        elif self._server is None:
            self._run(self._listen())
        self._fault = fault

    def requests(self, path: str) -> list[Received]:
        """Those received whose path begins with this one."""
        return [each for each in self.received if each.path.startswith(path)]

    def start(self) -> "LocalServer":
        self._thread.start()
        self._run(self._listen())
        return self

    def stop(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> "LocalServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, ssl=self._tls, backlog=1024, reuse_address=True
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self._answer(Wire(reader, writer), writer)
        except ConnectionError:
            pass  # the client has left while it was being answered
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, wire: Wire, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing() and (request := await wire.receive()) is not None:
            self.received.append(request)
            reply = self._app(request)
            fault = self._fault if isinstance(self._fault, Fault) or self._fault is None else self._fault(request)
            if fault is None or fault.play is None:
                await wire.reply(reply)
            else:
                await fault.play(wire, reply)
