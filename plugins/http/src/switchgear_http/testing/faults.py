"""What may go wrong between two machines, and what a provider should make of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import attrs
from switchgear import Outcome, SystemClock

from switchgear_http.testing.wire import Reply, Wire

WAIT = 120  # seconds that a throttled client is told to wait
DELAY = 0.03  # real seconds by which a slow answer is late
_PAGE = b"<!doctype html><html><title>We will be back soon</title><body>Down for maintenance.</body></html>"
_CHUNK = 64 * 1024

Play = Callable[[Wire, Reply], Awaitable[None]]


@attrs.frozen
class Fault:
    """Something that goes wrong. `play` gets the answer that would have been right; None: nobody listens at all."""

    name: str
    description: str
    outcome: Outcome
    play: Play | None = attrs.field(default=None, repr=False)


def _replying(make: Callable[[Reply], Reply]) -> Play:
    async def play(wire: Wire, reply: Reply) -> None:
        await wire.reply(make(reply))

    return play


def _failing(status: int, **headers: str) -> Play:
    """An error with a body as vendors have them, which is of no known shape."""
    return _replying(lambda reply: Reply.json({"message": "Please come back later."}, status, **headers))


def _empty(status: int) -> Play:
    return _replying(lambda reply: Reply(status=status))


def _until() -> str:
    moment: datetime = SystemClock().utc().astimezone(UTC) + timedelta(seconds=WAIT)
    return format_datetime(moment, usegmt=True)


async def _late(wire: Wire, reply: Reply) -> None:
    await asyncio.sleep(DELAY)  # noqa: TID251  # a real server on a real clock
    await wire.reply(reply)


async def _never(wire: Wire, reply: Reply) -> None:
    await wire.wait_until_the_client_leaves()
    wire.close()


async def _stalling(wire: Wire, reply: Reply) -> None:
    await wire.send(reply.head() + reply.body[: len(reply.body) // 2])
    await _never(wire, reply)


async def _reset(wire: Wire, reply: Reply) -> None:
    wire.reset()


async def _gone(wire: Wire, reply: Reply) -> None:
    wire.close()


async def _truncated(wire: Wire, reply: Reply) -> None:
    await wire.send(reply.head() + reply.body[: len(reply.body) // 2])
    wire.close()


async def _garbled(wire: Wire, reply: Reply) -> None:
    await wire.send(b"\x00\x01 this is no HTTP\r\n\r\n")
    wire.close()


async def _endless(wire: Wire, reply: Reply) -> None:
    """Until the client has had enough; without a length, since one could refuse by that alone."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    await wire.send(head)
    piece = b"%x\r\n%b\r\n" % (_CHUNK, b" " * _CHUNK)
    try:
        while True:
            await wire.send(piece)
    except ConnectionError:
        wire.close()


def _html(status: int) -> Reply:
    return Reply(_PAGE, status, {"Content-Type": "text/html; charset=utf-8"})


def _moved() -> Reply:
    return Reply(status=302, headers={"Location": "https://example.invalid/"})


def _as_text(reply: Reply) -> Reply:
    return attrs.evolve(reply, headers={"Content-Type": "text/plain"})


def _broken(reply: Reply) -> Reply:
    return attrs.evolve(reply, body=reply.body[:-1])


_ALL = (
    Fault("throttled", "429, `Retry-After` in seconds", Outcome.THROTTLED, _failing(429, Retry_After=str(WAIT))),
    Fault(
        "throttled-until",
        "429, `Retry-After` as a date",
        Outcome.THROTTLED,
        _replying(lambda reply: Reply.json({}, 429, Retry_After=_until())),
    ),
    Fault("throttled-mutely", "429, empty body", Outcome.THROTTLED, _empty(429)),
    Fault("throttled-garbage", "429, `Retry-After: soon`", Outcome.THROTTLED, _failing(429, Retry_After="soon")),
    Fault("error-500", "500", Outcome.TRANSIENT, _failing(500)),
    Fault("error-502", "502 with a page of HTML", Outcome.TRANSIENT, _replying(lambda reply: _html(502))),
    Fault("error-503", "503, empty body", Outcome.TRANSIENT, _empty(503)),
    Fault("overloaded", "503 with `Retry-After`", Outcome.THROTTLED, _failing(503, Retry_After=str(WAIT))),
    Fault("error-504", "504", Outcome.TRANSIENT, _failing(504)),
    Fault("request-timeout", "408", Outcome.TRANSIENT, _failing(408)),
    Fault("unauthorized", "401", Outcome.CREDENTIALS, _failing(401)),
    Fault("forbidden", "403, empty body", Outcome.CREDENTIALS, _empty(403)),
    Fault("moved", "302 to somewhere else", Outcome.CREDENTIALS, _replying(lambda reply: _moved())),
    Fault("not-found", "404", Outcome.CREDENTIALS, _failing(404)),
    Fault("payment", "402", Outcome.QUOTA, _failing(402)),
    Fault("too-large", "413", Outcome.UNSUPPORTED, _failing(413)),
    Fault("slow", "a late answer", Outcome.SUCCESS, _late),
    Fault("hanging", "no answer, open connection", Outcome.ATTEMPT_TIMEOUT, _never),
    Fault("stalling", "half an answer, open connection", Outcome.ATTEMPT_TIMEOUT, _stalling),
    Fault("reset", "connection reset", Outcome.TRANSIENT, _reset),
    Fault("gone", "connection closed without an answer", Outcome.TRANSIENT, _gone),
    Fault("truncated", "half an answer, connection closed", Outcome.TRANSIENT, _truncated),
    Fault("garbled", "no HTTP", Outcome.TRANSIENT, _garbled),
    Fault("wrong-type", "200 with `text/plain`", Outcome.TRANSIENT, _replying(_as_text)),
    Fault("html", "200 with a page of HTML", Outcome.TRANSIENT, _replying(lambda reply: _html(200))),
    Fault("no-json", "200, broken JSON", Outcome.TRANSIENT, _replying(_broken)),
    Fault("empty", "200, empty body", Outcome.TRANSIENT, _replying(lambda reply: attrs.evolve(reply, body=b""))),
    Fault("other-shape", "200, JSON of another shape", Outcome.TRANSIENT, _replying(lambda reply: Reply.json([[]]))),
    Fault("endless", "200, an answer without an end", Outcome.TRANSIENT, _endless),
    Fault("refused", "nobody listens", Outcome.NOT_SENT),
)
FAULTS = {fault.name: fault for fault in _ALL}
