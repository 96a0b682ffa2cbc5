"""The conformance suite of cost sinks."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

from switchgear.cost_sink import GROUPS, SLOT, CostRecord, CostSink, Lease, Selection
from switchgear.money import Charge, from_microseconds
from switchgear.options import option_fields
from switchgear.testing.suites.checks import check_plugin, raised_by, skip
from switchgear.testing.suites.cost_model import known_totals

NOON = 1_795_521_600_000_000  # some day's
AWKWARD = (
    "", " ", "a, b", 'quote " quote', "it's", "back\\slash", "\\N", "tab\tline\nreturn\r", "\x01\x1f\x7f", "ü", "漢字",
    "🙂", "e\u0301", "\u202e", "%s", "{}", "$1", "NULL", "'; DROP TABLE record; --", "x" * 500,
)  # fmt: skip
EXTREME = tuple(map(Decimal, ("9223372036.854775807", "-9223372036.854775807", "9999999999999999999", "1e27")))


class CostSinkSuite:
    """Checks a cost sink against the contract of `CostSink`, and of `Ledger` and `SharedLedger` where it is one::

        class TestMine(CostSinkSuite):
            def make(self): return Mine(url=self.server.url)

    Every check keeps to ids, services and accounts of its own, so what else is in the ledger does not matter.
    """

    is_ledger: ClassVar[bool] = True  #: it can be read: `totals` and `records`
    is_shared: ClassVar[bool] = True  #: it keeps budgets: `lease`, `give_back` and `spent`
    is_lasting: ClassVar[bool] = True  #: one that is made alike, now or later, sees the same
    examples: ClassVar[int] = 15  #: sequences of steps that are compared with a dictionary
    steps: ClassVar[int] = 30  #: length of each

    def make(self) -> CostSink:
        """A new sink, not yet used."""
        raise NotImplementedError

    def trouble(self) -> AbstractContextManager[Any]:
        """While it is entered, no `flush` of a sink that is made afterwards can do its work."""
        raise NotImplementedError

    # Every sink

    def test_it_keeps_to_the_contract_of_cost_sinks(self) -> None:
        sink = self.make()
        check_plugin("cost_sinks", sink)
        for method in self._promised():
            assert callable(getattr(sink, method, None)), f"has no {method}(); say so with is_ledger or is_shared"

    def test_its_options_are_declared_as_fields(self) -> None:
        option_fields(type(self.make()))

    def test_it_can_be_flushed_and_closed_unused(self) -> None:
        sink = self.make()
        sink.flush()
        sink.close()

    def test_an_amount_is_kept_to_the_last_digit_or_refused_by_name_without_harm_to_others(self) -> None:
        with self.open() as (sink, name):
            others = [self.record(name, number) for number in range(2)]
            sink.cost_recorded(others[0])
            for number, amount in enumerate(EXTREME, 10):
                extreme = self.record(name, number, cost=amount, budgets=(f"{name}extreme",))
                refused = raised_by(lambda: sink.cost_recorded(extreme))  # noqa: B023 (it is called here and now)
                if refused is None:
                    others.append(extreme)
                else:
                    assert isinstance(refused, ValueError), f"{refused!r} is no ValueError"
                    assert extreme.id in str(refused), f"does not name the record: {refused}"
            sink.cost_recorded(others[1])
            sink.flush()
            if self.is_ledger:
                assert self.kept(sink, name) == self.sorted(others)
            if self.is_shared:
                assert sink.spent(f"{name}extreme") == sum(each.cost or 0 for each in others[2:])

    def test_a_flush_that_fails_forgets_nothing(self) -> None:
        if type(self).trouble is CostSinkSuite.trouble:
            skip("trouble")
        name = self.name()
        records = [self.record(name, number) for number in range(3)]
        with self.trouble():
            sink: Any = self.make()
            for record in records[:2]:
                sink.cost_recorded(record)
            for _ in range(2):
                assert raised_by(sink.flush), "flush() raised nothing, and cannot have worked"
            sink.cost_recorded(records[2])
        with closing(sink):
            sink.flush()
            if self.is_ledger:
                assert self.kept(sink, name) == records
            if self.is_shared:
                assert sink.spent(f"{name}account") == Decimal("0.75")

    def test_texts_that_no_database_takes_stop_nobody_elses_record(self) -> None:
        """Half a surrogate pair and the character 0 may be replaced."""
        with self.open() as (sink, name):
            for number, text in enumerate(("\ud800", "\0", "a\0b")):
                sink.cost_recorded(self.record(name, number, tenant=text, tags=(text,), outcome=text))
            sink.cost_recorded(self.record(name, 9))
            sink.flush()
            if self.is_ledger:
                assert [record.id for record in self.kept(sink, name)] == [
                    f"{name}{number}.1" for number in (0, 1, 2, 9)
                ]

    # Ledgers

    def test_records_come_back_as_they_were_oldest_first(self) -> None:
        self._need_ledger()
        with self.open() as (sink, name):
            records = [self.rich(name), self.record(name, 3), self.record(name, 2), self.record(name, 1, at=NOON + 3)]
            self.write(sink, records)
            assert self.kept(sink, name) == self.sorted(records)

    def test_any_text_can_be_a_tenant_or_a_tag(self) -> None:
        self._need_ledger()
        with self.open() as (sink, name):
            records = [
                self.record(name, number, tenant=text, tags=(text, "x"), outcome=text, holder=text, budgets=(text,))
                for number, text in enumerate(AWKWARD)
            ]
            self.write(sink, records)
            assert self.kept(sink, name) == records
            for record in records:
                assert self.kept(sink, name, tenants=(record.tenant,)) == [record]
                assert self.kept(sink, name, tags=(record.tags[0],)) == [record]
            self.compare(sink, name, records, ("tenant", "tags"))

    def test_a_record_counts_once_however_often_it_comes(self) -> None:
        with self.open() as (sink, name):
            twice = (f"{name}account", f"{name}account")
            records = [self.record(name, number, budgets=twice) for number in range(3)]
            self.write(sink, records + records)
            self.write(sink, records[:2])
            self.write(sink, [*records[1:], self.record(name, 3)])
            if self.is_ledger:
                assert self.kept(sink, name) == [*records, self.record(name, 3)]
            if self.is_shared:
                assert sink.spent(f"{name}account") == 1

    def test_a_later_record_takes_the_place_of_the_earlier(self) -> None:
        with self.open() as (sink, name):
            doubt = self.record(name, 1, charge=Charge.IN_DOUBT, outcome="timeout", cost=Decimal(2))
            settled = self.record(name, 1, cost=Decimal(3), tags=("late",), at=NOON + 7)
            corrected = self.record(name, 1, cost=Decimal("2.5"), provider="other", budgets=(f"{name}other",))
            for record in (doubt, settled, corrected):
                self.write(sink, [record])
                if self.is_ledger:
                    assert self.kept(sink, name) == [record]
                if self.is_shared:
                    for account in ("account", "other"):
                        paid = record.cost if f"{name}{account}" in record.budgets else Decimal(0)
                        assert sink.spent(f"{name}{account}") == paid

    def test_a_doubt_never_takes_the_place_of_what_is_settled(self) -> None:
        """After a crash the requests that were under way are handed over as doubts; some were settled."""
        for charge, together in itertools.product((Charge.BILLED, Charge.FREE), (True, False)):
            with self.open() as (sink, name):
                settled = self.record(name, 1, charge=charge)
                doubt = self.record(name, 1, charge=Charge.IN_DOUBT, cost=Decimal(9))
                for batch in [[settled, doubt]] if together else [[settled], [doubt]]:
                    self.write(sink, batch)
                if self.is_ledger:
                    assert self.kept(sink, name) == [settled]
                if self.is_shared:
                    assert sink.spent(f"{name}account") == (0 if charge is Charge.FREE else Decimal("0.25"))

    def test_the_sums_of_every_grouping_make_the_total(self) -> None:
        self._need_ledger()
        with self.open() as (sink, name):
            records = self.mixed(name)
            self.write(sink, records)
            for number in range(3):
                for by in itertools.combinations(GROUPS, number):
                    self.compare(sink, name, records, by)
            self.compare(sink, name, records, tuple(reversed(GROUPS)))

    def test_sums_are_exact_beyond_what_a_number_holds(self) -> None:
        self._need_ledger()
        with self.open() as (sink, name):
            records = [self.record(name, number, cost=EXTREME[0]) for number in range(5)]
            records += [self.record(name, number, cost=Decimal("1e-9")) for number in range(5, 8)]
            self.write(sink, records)
            self.compare(sink, name, records, ())
            if self.is_shared:
                assert sink.spent(f"{name}account") == Decimal("46116860184.273879038")

    def test_a_group_that_nobody_knows_is_an_error(self) -> None:
        self._need_ledger()
        with self.open() as (sink, _):
            refused = raised_by(lambda: list(sink.totals(("colour",))))
            assert isinstance(refused, KeyError), "totals() took the group 'colour'"

    def test_a_selection_takes_what_fits_all_of_it(self) -> None:
        self._need_ledger()
        with self.open() as (sink, name):
            records = self.mixed(name)
            self.write(sink, records)
            middle = from_microseconds(NOON + SLOT)
            for chosen in (
                {"since": middle},
                {"until": middle},
                {"since": middle, "until": from_microseconds(NOON + 2 * SLOT + 1)},
                {"providers": ("fast", "nobody")},
                {"capabilities": ("translation",)},
                {"tenants": ("acme", "")},
                {"tags": ("b",)},
                {"tags": ("a", "b"), "providers": ("good",), "since": middle},
                {"tags": ("a, b",)},
                {"services": (f"{name}other",)},
                {"services": ("nothing",)},
            ):
                self.compare(sink, name, records, ("provider", "slot"), **chosen)

    def test_a_large_batch_is_kept_whole(self) -> None:
        with self.open() as (sink, name):
            records = [self.record(name, number, tenant=f"{number % 700}") for number in range(3000)]
            self.write(sink, records[:2500])
            self.write(sink, records[1500:])
            if self.is_ledger:
                assert self.kept(sink, name) == records
            if self.is_shared:
                assert sink.spent(f"{name}account") == 750

    def test_what_is_read_is_of_one_moment(self) -> None:
        self._need_ledger()
        with self.open() as (sink, name):
            records = [self.record(name, number) for number in range(1200)]
            self.write(sink, records[:1000])
            reading = sink.records(Selection(services=(name,)))
            found = [next(reading)]
            self.write(sink, records[1000:])
            found += reading
            assert found == records[: len(found)]
            assert len(found) in (1000, 1200)
            assert self.kept(sink, name) == records

    def test_one_made_alike_reads_what_was_written(self) -> None:
        self._need_ledger()
        if not self.is_lasting:
            skip("is_lasting")
        with self.open() as (sink, name):
            self.write(sink, [self.record(name, 1)])
            with closing(self.make()) as other:
                assert self.kept(other, name) == [self.record(name, 1)]
                self.write(other, [self.record(name, 2), self.record(name, 1, cost=Decimal(4))])
            assert [record.cost for record in self.kept(sink, name)] == [4, Decimal("0.25")]

    def test_it_behaves_like_a_dictionary_of_records(self) -> None:
        """Any sequence of records, batches and sinks that are opened again."""
        from switchgear.testing.suites.cost_machines import compare_records

        self._need_ledger()
        compare_records(self)

    # Shared budgets

    def test_a_lease_is_what_is_wanted_else_what_is_needed_else_nothing(self) -> None:
        self._need_shared()
        with self.open() as (sink, name):
            self.lease(sink, name, "one", 10, 6, 2, expected=(6, 4, 0, 0))
            self.lease(sink, name, "one", 10, 6, 2, expected=(2, 2, 0, 0))
            self.lease(sink, name, "two", 10, 6, 2, expected=(2, 0, 8, 0))
            self.lease(sink, name, "two", 10, 6, "0.000000001", expected=(0, 0, 8, 0))
            self.lease(sink, name, "one", 11, 1, 1, expected=(1, 0, 2, 0))
            self.lease(sink, f"{name}else", "one", 1, 1, 1, expected=(1, 0, 0, 0))

    def test_what_is_recorded_moves_from_the_lease_to_what_is_spent(self) -> None:
        self._need_shared()
        with self.open() as (sink, name):
            account = f"{name}account"
            self.lease(sink, account, "one", 10, 6, 2, expected=(6, 4, 0, 0))
            records = [self.record(name, number, holder="one", cost=Decimal(2)) for number in range(2)]
            self.write(sink, records)
            self.write(sink, records)
            self.lease(sink, account, "two", 10, 4, 1, expected=(4, 0, 2, 4))
            # More than was leased: a lease is never below nothing.
            self.write(sink, [self.record(name, 2, holder="one", cost=Decimal(3))])
            self.lease(sink, account, "one", 10, 1, 1, expected=(0, -1, 4, 7))

    def test_doubts_are_spent_and_what_turns_out_free_is_not(self) -> None:
        self._need_shared()
        with self.open() as (sink, name):
            account = f"{name}account"
            self.lease(sink, account, "one", 10, 10, 1, expected=(10, 0, 0, 0))
            doubt = self.record(name, 1, holder="one", cost=Decimal(4), charge=Charge.IN_DOUBT)
            self.write(sink, [doubt, self.record(name, 2, holder="one", cost=None)])
            assert sink.spent(account) == 4
            self.write(sink, [self.record(name, 1, holder="one", cost=Decimal(3))])
            assert sink.spent(account) == 3
            self.lease(sink, account, "two", 10, 9, 1, expected=(1, 0, 6, 3))
            self.write(sink, [self.record(name, 1, holder="one", cost=Decimal(3), charge=Charge.FREE)])
            assert sink.spent(account) == 0
            self.lease(sink, account, "two", 10, 9, 1, expected=(1, 2, 6, 0))

    def test_a_lease_ends_and_is_extended_by_the_next(self) -> None:
        self._need_shared()
        with self.open() as (sink, name):
            self.lease(sink, name, "one", 10, 6, 6, expected=(6, 4, 0, 0), until=NOON + 10)
            self.lease(sink, name, "two", 10, 5, 5, expected=(0, 4, 6, 0), now=NOON + 9)
            self.lease(sink, name, "one", 10, 0, 0, expected=(0, 4, 0, 0), now=NOON + 9, until=NOON + 20)
            self.lease(sink, name, "two", 10, 5, 5, expected=(0, 4, 6, 0), now=NOON + 19)
            self.lease(sink, name, "two", 10, 5, 5, expected=(5, 5, 0, 0), now=NOON + 21)

    def test_what_is_given_back_is_there_for_others(self) -> None:
        self._need_shared()
        with self.open() as (sink, name):
            self.lease(sink, name, "one", 10, 6, 6, expected=(6, 4, 0, 0))
            sink.give_back(name, "one", Decimal("1.5"))
            self.lease(sink, name, "two", 10, "5.5", 5, expected=("5.5", 0, "4.5", 0))
            sink.give_back(name, "one", Decimal(100))
            sink.give_back(name, "nobody", Decimal(1))
            self.lease(sink, name, "two", 10, "4.5", 1, expected=("4.5", 0, 0, 0))

    def test_holders_at_the_same_time_never_lease_more_than_there_is(self) -> None:
        self._need_shared()
        if not self.is_lasting:
            skip("is_lasting")
        name, price = self.name(), Decimal("0.25")

        def spend(holder: str) -> int:
            own, done = Decimal(0), 0
            with closing(self.make()) as sink:
                while True:
                    if own < price:
                        own += self.leased(sink, f"{name}account", holder, 50, price * 5, price).granted
                        if own < price:
                            return done
                    own -= price
                    self.write(sink, [self.record(f"{name}{holder}", done, holder=holder, budgets=(f"{name}account",))])
                    done += 1

        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(spend, ("one", "two", "three", "four")))
        with closing(self.make()) as sink:
            assert sum(done) == 200, done
            assert sink.spent(f"{name}account") == 50  # type: ignore[attr-defined]

    def test_it_keeps_accounts_like_a_model(self) -> None:
        """Any sequence of leases, records, returns and waits of three holders."""
        from switchgear.testing.suites.cost_machines import compare_accounts

        self._need_shared()
        compare_accounts(self)

    # What the checks use

    def name(self) -> str:
        """A beginning of ids, services and accounts that nobody else has."""
        return f"{uuid4().hex}:"

    def open(self) -> "_Opened":
        return _Opened(self.make, self.name())

    def record(self, name: str, number: int, **values: Any) -> CostRecord:
        """A quarter, against `<name>account`."""
        given: dict[str, Any] = {
            "id": f"{name}{number}.1",
            "at": NOON + number,
            "service": name,
            "capability": "ocr",
            "provider": "fast",
            "cost": Decimal("0.25"),
            "budgets": (f"{name}account",),
            "holder": "one",
        }
        return CostRecord(**(given | values))

    def rich(self, name: str) -> CostRecord:
        """Something in every field."""
        return self.record(
            name,
            0,
            kind="fallback",
            charge=Charge.IN_DOUBT,
            outcome="timeout",
            currency="EUR",
            cost=Decimal("-1234567.123456789"),
            estimate=Decimal("0.000000001"),
            usage={"pages": Decimal(3), "characters": Decimal("1200.5")},
            latency=0.1 + 0.2,
            tenant="acme",
            tags=("b", "a", "b"),
            budgets=(f"{name}account", f"{name}other"),
            holder="host:4711",
        )

    def mixed(self, name: str) -> list[CostRecord]:
        """Records that differ in everything that one can ask for."""
        changes: list[dict[str, Any]] = [
            {},
            {"provider": "good", "tenant": "acme", "tags": ("a", "b")},
            {"provider": "good", "tenant": "", "tags": ("b", "a")},
            {"cost": None, "charge": Charge.IN_DOUBT, "outcome": "timeout", "tags": ("a, b",)},
            {"cost": Decimal("1.1"), "charge": Charge.IN_DOUBT, "outcome": "timeout", "kind": "retry"},
            {"cost": None, "charge": Charge.FREE, "outcome": "overloaded", "kind": "fallback"},
            {"cost": Decimal("-0.000000001"), "currency": "EUR", "capability": "translation"},
            {"cost": None, "usage": {"pages": Decimal("2.50"), "characters": Decimal(10)}, "kind": "hedge"},
            {"usage": {"characters": Decimal("1e1"), "pages": Decimal("2.5")}, "service": f"{name}other"},
            {"kind": "saved", "cost": None, "saved": Decimal("0.7"), "hits": 7, "budgets": ()},
        ]
        return [
            self.record(name, number, **{"at": NOON + (number % 4) * SLOT + number // 4 - 1, **changed})
            for number, changed in enumerate(changes * 2)
        ]

    def write(self, sink: Any, records: Iterable[CostRecord]) -> None:
        for record in records:
            sink.cost_recorded(record)
        sink.flush()

    def kept(self, sink: Any, name: str, **chosen: Any) -> list[CostRecord]:
        return list(sink.records(Selection(services=(name,), **chosen)))

    def sorted(self, records: Iterable[CostRecord]) -> list[CostRecord]:
        return sorted(records, key=lambda record: (record.at, record.id))

    def compare(self, sink: Any, name: str, records: Sequence[CostRecord], by: Sequence[str], **chosen: Any) -> None:
        """The sink's sums and records of a selection beside what plain arithmetic says."""
        where = Selection(**{"services": (name, f"{name}other"), **chosen})
        wanted, totals = known_totals(records, by, where)
        assert list(sink.totals(by, where)) == totals, f"by {by} where {chosen}"
        assert list(sink.records(where)) == self.sorted(wanted), f"where {chosen}"

    def leased(
        self, sink: Any, account: str, holder: str, limit: Any, want: Any, need: Any, now: int = NOON, until: int = 0
    ) -> Lease:
        limit, want, need = map(Decimal, (limit, want, need))
        lease: Lease = sink.lease(
            account, holder, limit=limit, want=want, need=need, now=now, until=until or now + 1_000_000
        )
        return lease

    def lease(self, sink: Any, *asked: Any, expected: tuple[Any, ...], **times: Any) -> None:
        assert self.leased(sink, *asked, **times) == Lease(*map(Decimal, expected))

    def _promised(self) -> list[str]:
        return ["totals", "records"] * self.is_ledger + ["lease", "give_back", "spent"] * self.is_shared

    def _need_ledger(self) -> None:
        if not self.is_ledger:
            skip("is_ledger")

    def _need_shared(self) -> None:
        if not self.is_shared:
            skip("is_shared")


class _Opened:
    """A sink and a name of its own, and at the end the sink is closed."""

    def __init__(self, make: Callable[[], Any], name: str) -> None:
        self._make, self._name = make, name

    def __enter__(self) -> tuple[Any, str]:
        self._sink = self._make()
        return self._sink, self._name

    def __exit__(self, *_: object) -> None:
        self._sink.close()
