"""Alerts about money: what raises one, how often, and how they reach a URL."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from switchgear import Charge, Secret
from switchgear.alert import Alert
from switchgear.cost_sink import CostRecord
from switchgear.costs.alerts import AlertDesk
from switchgear.costs.budgets import Account
from switchgear.costs.settings import Alerts, Budget
from switchgear.costs.tracker import CostTracker
from switchgear.money import to_microseconds
from switchgear.observers.webhook import Webhook
from switchgear.testing import FakeClock

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = 86_400


@attrs.define
class Desk:
    desk: AlertDesk
    tracker: CostTracker
    clock: FakeClock
    alerts: list[Alert]

    def spend(self, cost: str, service: str = "scans", ago: float = 0.0) -> None:
        at = to_microseconds(self.clock.utc() - timedelta(seconds=ago))
        name = f"c{len(self.tracker._recent)}.1"
        self.tracker.add([CostRecord(name, at, service, "ocr", "fast", cost=Decimal(cost))])

    def look(self, *expired: str) -> list[Alert]:
        self.alerts.clear()
        self.desk.look_around(lambda: expired)
        return list(self.alerts)


def desk_of(**settings: Any) -> Desk:
    clock, tracker = FakeClock(utc=NOON), CostTracker(UTC, "EUR")
    alerts: list[Alert] = []
    desk = AlertDesk(Alerts(**settings), tracker, "EUR", clock.utc, clock.monotonic, alerts.append)
    return Desk(desk, tracker, clock, alerts)


def account(limit: str = "10", spent: str = "0", **settings: Any) -> Account:
    made = Account("month/2026-11", "month", Budget(limit=Decimal(limit), **settings), NOON, None)
    made.spent = Decimal(spent)
    return made


def test_an_hour_that_costs_more_than_twice_the_average_before_it_is_a_spike() -> None:
    it = desk_of()
    for hour in range(1, 24):
        it.spend("1", ago=3600 * hour)
        it.spend("100", "letters", ago=3600 * hour)
    it.spend("150", "letters")
    it.spend("2")
    assert it.look() == []
    it.spend("0.01")
    it.clock.advance(60)
    (alert,) = it.look()
    assert (alert.kind, alert.subject) == ("spike", "scans")
    assert alert.message == "2.01 EUR this hour, 1.0000 on average in the hours before"
    it.clock.advance(60)
    assert it.look() == [], "not the same one again so soon"
    it.clock.advance(3480)
    it.spend("50")
    it.clock.advance(60)
    assert [alert.subject for alert in it.look()] == ["scans"]


@pytest.mark.parametrize(
    ("settings", "before", "now"),
    [
        ({}, "0.01", "0.99"),
        ({"spike": 0.0}, "1", "50"),
        ({"least": Decimal(60)}, "1", "50"),
        ({"spike": 60.0}, "1", "50"),
    ],
)
def test_what_is_little_or_not_asked_for_is_no_spike(settings: Any, before: str, now: str) -> None:
    it = desk_of(**settings)
    it.spend(before, ago=3600)
    it.spend(now)
    assert it.look() == []


def test_the_first_hour_of_a_service_is_no_spike() -> None:
    it = desk_of()
    it.spend("50")
    it.spend("1", ago=25 * 3600)
    assert it.look() == []


def test_it_looks_once_a_minute() -> None:
    it = desk_of()
    assert len(it.look("scans.fast")) == 1
    it.clock.advance(59)
    assert it.look("scans.good") == []
    it.clock.advance(1)
    assert len(it.look("scans.good")) == 1


def test_s23_an_expired_price_is_said_once_an_hour() -> None:
    it = desk_of()
    (alert,) = it.look("scans.fast")
    assert (alert.kind, alert.subject) == ("expired_price", "scans.fast")
    it.clock.advance(3599)
    assert it.look("scans.fast") == []
    it.clock.advance(60)
    assert len(it.look("scans.fast")) == 1


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ({"cost": None}, ["unknown_price"]),
        ({"cost": None, "charge": Charge.IN_DOUBT}, ["unknown_price"]),
        ({"cost": None, "charge": Charge.FREE}, []),
        ({"cost": Decimal(0)}, []),
        ({"cost": None, "kind": "saved"}, []),
    ],
)
def test_s23_an_unknown_price_is_said_where_something_may_be_billed(values: Any, kinds: list[str]) -> None:
    it = desk_of()
    made = CostRecord("c1.1", 1, "scans", "ocr", "fast", **values)
    it.desk.look_at_records([made, made])
    assert [alert.kind for alert in it.alerts] == kinds


def test_s24_each_threshold_of_a_budget_is_said_once() -> None:
    it, month = desk_of(repeat=1.0), account()
    said = []
    for tenth in range(11):
        month.spent = Decimal(tenth)
        it.desk.look_at_budgets([month])
        it.clock.advance(10)
        said += [(tenth, alert.message) for alert in it.alerts]
        it.alerts.clear()
    assert said == [
        (5, "50% spent: 5 of 10 EUR"),
        (8, "80% spent: 8 of 10 EUR"),
        (10, "100% spent: 10 of 10 EUR"),
    ]


def test_s24_several_thresholds_at_once_are_one_alert() -> None:
    it = desk_of()
    it.desk.look_at_budgets([account(spent="12")])
    (alert,) = it.alerts
    assert (alert.kind, alert.subject) == ("budget", "month/2026-11")
    assert alert.message == "120% spent: 12 of 10 EUR"


def test_s24_a_limit_of_nothing_is_no_alert_until_something_is_spent() -> None:
    it = desk_of()
    it.desk.look_at_budgets([account("0")])
    assert it.alerts == []
    it.desk.look_at_budgets([account("0", "1")])
    assert len(it.alerts) == 1


def test_what_was_said_is_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("switchgear.costs.alerts._MOST", 5)
    it = desk_of()
    it.look(*(f"scans.p{number}" for number in range(20)))
    assert len(it.desk._raised) == 5


# A real receiver


@attrs.define
class Receiver:
    """Answers with `status`, after `gate` if there is one."""

    url: str
    bodies: list[Any] = attrs.Factory(list)
    status: int = 200
    gate: threading.Event | None = None
    got: threading.Semaphore = attrs.Factory(lambda: threading.Semaphore(0))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.bodies.append((self.headers["Content-Type"], json.loads(body)))
            made.got.release()
            if made.gate is not None:
                made.gate.wait(30)
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}/hooks/planted-token")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    if made.gate is not None:
        made.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


def alert(number: int = 1) -> Alert:
    return Alert("unknown_price", f"scans.p{number}", "nobody knows", NOON)


def until(condition: Callable[[], bool]) -> None:
    """A real thread does it."""
    wait = threading.Event()
    for _ in range(3000):
        if condition():
            return
        wait.wait(0.005)
    raise AssertionError("it never happened")


def test_an_alert_is_posted_as_json(receiver: Receiver) -> None:
    hook = Webhook(Secret(receiver.url))
    hook.alert_raised(alert())
    hook.close()
    assert receiver.bodies == [
        (
            "application/json",
            {
                "text": "unknown price: scans.p1: nobody knows",
                "kind": "unknown_price",
                "subject": "scans.p1",
                "message": "nobody knows",
                "at": "2026-11-24T12:00:00+00:00",
            },
        )
    ]


def test_a_receiver_that_refuses_gets_the_next_one(receiver: Receiver, heard: list[str]) -> None:
    hook = Webhook(Secret(receiver.url))
    receiver.status = 500
    hook.alert_raised(alert(1))
    assert receiver.got.acquire(timeout=30)
    until(lambda: any("was not delivered: HTTPError" in line for line in heard))
    receiver.status = 200
    hook.alert_raised(alert(2))
    hook.close()
    assert [body["subject"] for _, body in receiver.bodies] == ["scans.p1", "scans.p2"]
    assert "planted-token" not in "".join(heard)


def test_a_receiver_that_is_down_is_logged_without_its_url(heard: list[str]) -> None:
    hook = Webhook(Secret("http://127.0.0.1:1/planted-token"))
    hook.alert_raised(alert())
    hook.close()
    assert "webhook: an alert was not delivered: URLError" in "".join(heard)
    assert "planted-token" not in "".join(heard) + repr(hook)


def test_a_slow_receiver_keeps_nobody_waiting_and_what_is_too_much_is_dropped(
    receiver: Receiver, heard: list[str]
) -> None:
    receiver.gate = threading.Event()
    hook = Webhook(Secret(receiver.url), timeout=0.05)
    hook.alert_raised(alert(0))
    assert receiver.got.acquire(timeout=30)
    for number in range(1, 150):
        hook.alert_raised(alert(number))
    assert sum("an alert is dropped, 100 wait already" in line for line in heard) >= 1
    closing = threading.Thread(target=hook.close)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()
    assert hook._thread is not None
    receiver.gate.set()
    hook._thread.join(30)


def test_one_that_was_never_needed_has_no_thread() -> None:
    hook = Webhook(Secret("https://example.test/"))
    hook.close()
    assert hook._thread is None


@pytest.mark.parametrize("url", ["ftp://example.test", "file:///etc/passwd", "example.test", ""])
def test_only_the_web_is_a_place_to_post_to(url: str) -> None:
    with pytest.raises(ValueError, match="url has to begin with http:// or https://"):
        Webhook(Secret(url))
