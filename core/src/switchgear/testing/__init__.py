"""Tools for testing what is built with Switchgear, and what plugs into it.

Time: `FakeClock`, `VirtualLoop`, `VirtualClock`, `run`. Fakes: `ScriptedProvider`, `ChaosProvider`, `ScriptedCache`,
`FakeCandidate`, `MemoryLedger`, `MemoryObserver`. Conformance: `ProviderSuite`, `StrategySuite`, `CacheSuite`,
`CostSinkSuite`, `ObserverSuite`, `ValidatorSuite`, which need the extra `switchgear[testing]`, and `check_fingerprint`.
Under stress: `cancel_at_every_await`, `simulate`.
"""

from switchgear.testing.caches import ScriptedCache
from switchgear.testing.cancellation import cancel_at_every_await
from switchgear.testing.candidates import FakeCandidate
from switchgear.testing.clocks import FakeClock
from switchgear.testing.faults import Brownout, Fault, Flapping, Outage, Throttle
from switchgear.testing.fingerprints import check_fingerprint
from switchgear.testing.ledgers import MemoryLedger
from switchgear.testing.observers import MemoryObserver
from switchgear.testing.providers import ChaosProvider, ChaosRule, ScriptedProvider
from switchgear.testing.report import Report, Sent, Served
from switchgear.testing.schedules import Between, Every, always
from switchgear.testing.simulator import World, simulate
from switchgear.testing.steps import HANG, NOTHING, Delay
from switchgear.testing.suites.cache import CacheSuite
from switchgear.testing.suites.cost_sink import CostSinkSuite
from switchgear.testing.suites.observer import ObserverSuite
from switchgear.testing.suites.provider import ProviderSuite
from switchgear.testing.suites.strategy import StrategySuite
from switchgear.testing.suites.validator import ValidatorSuite
from switchgear.testing.virtual import Deadlock, LeftBehind, Livelock, VirtualClock, VirtualLoop, run, settle

__all__ = [
    "HANG",
    "NOTHING",
    "Between",
    "Brownout",
    "CacheSuite",
    "ChaosProvider",
    "ChaosRule",
    "CostSinkSuite",
    "Deadlock",
    "Delay",
    "Every",
    "FakeCandidate",
    "FakeClock",
    "Fault",
    "Flapping",
    "LeftBehind",
    "Livelock",
    "MemoryLedger",
    "MemoryObserver",
    "ObserverSuite",
    "Outage",
    "ProviderSuite",
    "Report",
    "ScriptedCache",
    "ScriptedProvider",
    "Sent",
    "Served",
    "StrategySuite",
    "Throttle",
    "ValidatorSuite",
    "VirtualClock",
    "VirtualLoop",
    "World",
    "always",
    "cancel_at_every_await",
    "check_fingerprint",
    "run",
    "settle",
    "simulate",
]
