"""For tests of providers that talk HTTP: a real local server that answers as the vendor does, or fails on purpose.

`LocalServer` runs an app, a function from `Received` to `Reply`. `FAULTS` holds what may go wrong between two machines,
by name, each with the outcome that a provider should make of it. Needs the extra `switchgear-http[testing]`.
"""

from switchgear_http.testing.faults import FAULTS, Fault
from switchgear_http.testing.server import App, LocalServer
from switchgear_http.testing.wire import Received, Reply

__all__ = ["FAULTS", "App", "Fault", "LocalServer", "Received", "Reply"]
