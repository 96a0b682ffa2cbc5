"""From what HTTP clients raise and answer to outcomes."""

import math
import socket
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from switchgear import (
    AttemptTimeout,
    BadCredentials,
    InvalidInput,
    NotSent,
    Outcome,
    ProviderError,
    QuotaExceeded,
    Rejected,
    Throttled,
    error_for_status,
    map_errors,
    parse_retry_after,
)
from switchgear.http_errors import STATUS_ERRORS
from switchgear.money import Charge

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.UNSUPPORTED),
        (401, Outcome.CREDENTIALS),
        (402, Outcome.QUOTA),
        (403, Outcome.CREDENTIALS),
        (404, Outcome.CREDENTIALS),
        (408, Outcome.TRANSIENT),
        (409, Outcome.UNSUPPORTED),
        (413, Outcome.UNSUPPORTED),
        (415, Outcome.UNSUPPORTED),
        (418, Outcome.UNSUPPORTED),
        (422, Outcome.UNSUPPORTED),
        (425, Outcome.TRANSIENT),
        (429, Outcome.THROTTLED),
        (456, Outcome.UNSUPPORTED),
        (500, Outcome.TRANSIENT),
        (502, Outcome.TRANSIENT),
        (503, Outcome.TRANSIENT),
        (504, Outcome.TRANSIENT),
        (529, Outcome.TRANSIENT),
    ],
)
def test_every_status_has_its_outcome(status: int, outcome: Outcome) -> None:
    error = error_for_status(status, "no luck")
    assert error.outcome is outcome
    assert str(error) == f"HTTP {status}: no luck"


def test_without_a_message_the_status_says_it_all() -> None:
    assert str(error_for_status(500)) == "HTTP 500"


def test_a_plugin_that_knows_better_overrides_the_table() -> None:
    knows = {456: QuotaExceeded, 400: InvalidInput, 529: Throttled}
    assert isinstance(error_for_status(456, overrides=knows), QuotaExceeded)
    assert isinstance(error_for_status(400, overrides=knows), InvalidInput)
    error = error_for_status(529, retry_after=3.0, overrides=knows)
    assert isinstance(error, Throttled)
    assert error.retry_after == 3.0
    assert isinstance(error_for_status(401, overrides=knows), BadCredentials)


def test_a_503_that_says_when_to_come_back_wants_fewer_requests() -> None:
    error = error_for_status(503, retry_after=7.0)
    assert isinstance(error, Throttled)
    assert error.retry_after == 7.0
    assert type(error_for_status(500, retry_after=7.0)) is ProviderError


def test_a_plugin_knows_better_what_a_503_is_also_if_it_says_when_to_come_back() -> None:
    assert isinstance(error_for_status(503, retry_after=7.0, overrides={503: QuotaExceeded}), QuotaExceeded)


@pytest.mark.parametrize("status", [408, 425, 500, 503])
def test_who_answers_that_it_did_not_do_the_work_bills_nothing(status: int) -> None:
    assert error_for_status(status).charge is Charge.FREE
    assert ProviderError("no answer").charge is not Charge.FREE


@pytest.mark.parametrize("status", [400, 401, 402, 429])
def test_what_another_answer_costs_is_as_its_outcome_says(status: int) -> None:
    error = error_for_status(status)
    assert error.charge is type(error)("as it comes").charge


@given(st.integers(400, 599))
def test_no_status_is_a_success_or_without_a_class(status: int) -> None:
    error = error_for_status(status)
    assert error.outcome is not Outcome.SUCCESS
    assert isinstance(error, STATUS_ERRORS.get(status, ProviderError))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("007", 7.0),
        # The three forms of RFC 9110, section 5.6.7, and a zone that is none of them.
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90.0),
        ("Monday, 23-Nov-26 12:01:30 GMT", 90.0),
        ("Mon Nov 23 12:01:30 2026", 90.0),
        ("Mon, 23 Nov 2026 13:01:30 +0100", 90.0),
        # A moment that has passed: come at once.
        ("Mon, 23 Nov 2026 11:59:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_comes_in_seconds_and_as_a_date(header: str, seconds: float) -> None:
    assert parse_retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "-1",
        "-0.5",
        "+5",
        "soon",
        "1e3",
        "1_000",
        "0x10",
        "5s",
        "5,5",
        "1.",
        ".5",
        "١٢",
        "NaN",
        "inf",
        "-inf",
        "9" * 400,
        "5; 10",
        "Mon, 99 Nov 2026 12:00:00 GMT",
        "Mon, 23 Foo 2026 12:00:00 GMT",
        "Mon, 23 Nov 2026 25:00:00 GMT",
        "Mon, 23 Nov 99999 12:00:00 GMT",
        "Mon, 23 Nov 2026 12:00:00 +99999999999999999999",
        "\x00",
    ],
)
def test_garbage_and_negative_numbers_say_nothing(header: str | None) -> None:
    assert parse_retry_after(header, NOW) is None


@given(
    st.one_of(st.text(), st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,5} \d\d:\d\d:\d\d [-+A-Z0-9]{1,9}"))
)
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
def test_no_header_can_break_it(header: str) -> None:
    seconds = parse_retry_after(header, NOW)
    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


@given(st.integers(0, 10**9))
def test_whole_seconds_come_through_as_they_are(seconds: int) -> None:
    assert parse_retry_after(str(seconds), NOW) == seconds


@given(st.integers(-(10**6), 10**6), st.integers(-12, 14))
def test_a_date_is_as_far_away_as_it_is_in_any_zone(seconds: int, zone: int) -> None:
    moment = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=zone)))
    assert parse_retry_after(format_datetime(moment), NOW) == max(0, seconds)


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (ConnectionRefusedError(), NotSent),
        (socket.gaierror(), NotSent),
        (TimeoutError(), AttemptTimeout),
        (ConnectionResetError(), ProviderError),
        (BrokenPipeError(), ProviderError),
    ],
)
def test_network_errors_come_out_as_outcomes_with_their_cause(raised: Exception, outcome: type[Exception]) -> None:
    with pytest.raises(ProviderError) as caught, map_errors():
        raise raised
    assert type(caught.value) is outcome
    assert caught.value.__cause__ is raised
    assert str(caught.value) == type(raised).__name__


class ClientError(Exception):
    pass


class PoolTimeout(ClientError, TimeoutError):
    pass


def test_a_clients_own_errors_are_added_and_come_first() -> None:
    also = {PoolTimeout: NotSent, ClientError: ProviderError, ConnectionRefusedError: BadCredentials}
    with pytest.raises(NotSent), map_errors(also):
        raise PoolTimeout
    with pytest.raises(BadCredentials), map_errors(also):
        raise ConnectionRefusedError


def test_what_a_client_says_stays_out_of_the_message() -> None:
    with pytest.raises(ProviderError) as caught, map_errors({ClientError: ProviderError}):
        raise ClientError("Authorization: Bearer sk-hunter2")
    assert str(caught.value) == "ClientError"


@pytest.mark.parametrize("error", [ProviderError("down"), InvalidInput("no"), Rejected("full"), ZeroDivisionError()])
def test_our_own_errors_and_unknown_ones_pass_unchanged(error: Exception) -> None:
    with (
        pytest.raises(type(error)) as caught,
        map_errors({Exception: NotSent} if isinstance(error, ProviderError) else None),
    ):
        raise error
    assert caught.value is error


def test_nothing_happens_where_nothing_is_raised() -> None:
    with map_errors():
        pass


def test_nobody_is_left_alone_for_more_than_an_hour() -> None:
    assert Throttled(retry_after=86_400.0).retry_after == 3600.0
    assert Throttled(retry_after=3599.0).retry_after == 3599.0
