"""Budgets that all processes and machines share through Redis or Valkey: what is spent, and who has leased how much."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import redis
from attrs import field
from redis.backoff import NoBackoff
from redis.retry import Retry
from switchgear import Secret
from switchgear.cost_sink import CostRecord, Lease
from switchgear.costs.amounts import check_amounts
from switchgear.costs.movements import counted, replaces
from switchgear.durations import Duration
from switchgear.money import from_nanos, to_nanos
from switchgear.rules import Wait

from switchgear_redis.scripts import GIVE_BACK, LEASE, RECORD

_UNIT = 10**9  # billionths


@attrs.define(eq=False)
class RedisBudgets:
    """`type = "redis"`: no ledger, since it keeps no records to report on; put one beside it.

    Each step is one script, which no other interrupts. An attempt that is handed over again counts once, as long as it
    is remembered; one that counts against no budget is not sent. Amounts are exact up to 9,007,199,254,740,991.
    """

    url: str = field(
        default="redis://localhost:6379/0", metadata={"help": "the server; rediss:// for TLS, unix:// for a socket"}
    )
    username: str | None = field(default=None, metadata={"help": "for servers with access lists"})
    password: Secret | None = field(default=None, repr=False, metadata={"help": "beats one in the URL"})
    prefix: str = field(default="{switchgear-budgets}:", metadata={"help": "what all keys begin with"})
    remember: Wait = field(default=Duration(7 * 86400.0), metadata={"help": "how long an attempt is known"})
    connect_timeout: Wait = field(default=Duration(1.0), metadata={"help": "the longest to wait for a connection"})
    timeout: Wait = field(default=Duration(5.0), metadata={"help": "the longest to wait for an answer"})
    ca_file: Path | None = field(default=None, metadata={"help": "whom to trust with rediss://; absent: the system"})
    _taken_in: dict[str, CostRecord] = field(factory=dict, init=False, repr=False)
    _client: Any = field(default=None, init=False, repr=False)
    _scripts: dict[str, Any] = field(factory=dict, init=False, repr=False)

    def cost_recorded(self, record: CostRecord) -> None:
        check_amounts(record)
        earlier = self._taken_in.get(record.id)
        if record.budgets and (earlier is None or replaces(record, earlier.charge)):
            self._taken_in[record.id] = record

    def flush(self) -> None:
        if not self._taken_in:
            return
        with self._connected().pipeline(transaction=False) as pipeline:
            for record in self._taken_in.values():
                accounts = dict.fromkeys(record.budgets)
                known = (record.id, record.charge.value, _written(counted(record)), record.holder)
                self._scripts[RECORD](
                    args=_encoded([self.prefix, str(max(1, int(self.remember))), *known, *accounts]), client=pipeline
                )
            pipeline.execute()
        self._taken_in.clear()

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def lease(
        self, account: str, holder: str, *, limit: Decimal, want: Decimal, need: Decimal, now: int, until: int
    ) -> Lease:
        amounts = [_written(to_nanos(amount)) for amount in (limit, want, need)]
        answer = self._run(LEASE, account, holder, *amounts, str(now), str(until))
        return Lease(*(_read(amount) for amount in answer))

    def give_back(self, account: str, holder: str, amount: Decimal) -> None:
        self._run(GIVE_BACK, account, holder, _written(to_nanos(amount)))

    def spent(self, account: str) -> Decimal:
        found = self._connected().get(*_encoded([f"{self.prefix}spent:{account}"]))
        return _read(found) if found else Decimal(0)

    def _run(self, script: str, *arguments: str) -> Any:
        self._connected()
        return self._scripts[script](args=_encoded([self.prefix, *arguments]))

    def _connected(self) -> Any:
        if self._client is None:
            # Who calls decides whether to try again: records are kept, and a lease may no longer be wanted.
            self._client = redis.Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), **self._options())
            self._scripts = {text: self._client.register_script(text) for text in (RECORD, LEASE, GIVE_BACK)}
        return self._client

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "socket_connect_timeout": float(self.connect_timeout),
            "socket_timeout": float(self.timeout),
            "username": self.username,
            "password": self.password and self.password.reveal(),
            "ssl_ca_certs": self.ca_file and str(self.ca_file),
        }
        return {name: value for name, value in options.items() if value is not None}


def _written(nanos: int) -> str:
    """As the scripts take an amount: whole units rounded down, and billionths. Their numbers are floats."""
    units, rest = divmod(nanos, _UNIT)
    return f"{units}:{rest}"


def _read(amount: bytes) -> Decimal:
    units, _, rest = amount.decode().partition(":")
    return from_nanos(int(units) * _UNIT + int(rest))


def _encoded(arguments: Sequence[str]) -> list[bytes]:
    """Half a surrogate pair cannot be sent as it is."""
    return [argument.encode("utf-8", "surrogatepass") for argument in arguments]
