"""Alerts to a URL: a JSON message for each, as chat programs and on-call services take them."""

import json
import queue
import threading
import urllib.request
from contextlib import suppress
from urllib.parse import urlsplit

import attrs
from attrs import field

from switchgear.alert import Alert
from switchgear.logs import logger, report_defect
from switchgear.secret import Secret

_MOST_WAITING = 100


@attrs.define(eq=False)
class Webhook:
    """`type = "webhook"`: posts each alert, one after the other, from a thread of its own.

    The body has `text` (all of it in a sentence), `kind`, `subject`, `message` and `at`. What cannot be delivered is
    logged and dropped.
    """

    url: Secret = field(metadata={"help": "where to; http or https"})
    timeout: float = field(default=5.0, metadata={"help": "seconds for one delivery"})
    _waiting: "queue.Queue[Alert | None]" = field(factory=lambda: queue.Queue(_MOST_WAITING), init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if urlsplit(self.url.reveal()).scheme not in ("http", "https"):
            raise ValueError("url has to begin with http:// or https://")

    def alert_raised(self, alert: Alert) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="switchgear-webhook", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(alert)
        except queue.Full:
            logger.error("webhook: an alert is dropped, {} wait already", _MOST_WAITING)

    def close(self) -> None:
        if self._thread is None:
            return
        while True:
            try:
                self._waiting.put_nowait(None)
                break
            except queue.Full:  # its receiver is slow: the oldest give way
                self._drop_one()
        self._thread.join(self.timeout)

    def _drop_one(self) -> None:
        with suppress(queue.Empty):
            self._waiting.get_nowait()
            logger.error("webhook: an alert is dropped, it is being closed")

    def _run(self) -> None:
        while (alert := self._waiting.get()) is not None:
            # A receiver that is down must not end the thread: the next alert may get through.
            try:
                self._post(alert)
            except Exception as error:
                report_defect("webhook: an alert was not delivered", error)

    def _post(self, alert: Alert) -> None:
        body = {
            "text": f"{alert.kind.replace('_', ' ')}: {alert.subject}: {alert.message}",
            "kind": alert.kind,
            "subject": alert.subject,
            "message": alert.message,
            "at": alert.at.isoformat(),
        }
        request = urllib.request.Request(  # noqa: S310
            self.url.reveal(), json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=self.timeout):  # noqa: S310
            pass
