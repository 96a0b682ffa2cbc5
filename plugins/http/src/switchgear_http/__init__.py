"""What providers that talk HTTP to a vendor share: connections, errors, health, and a server that plays every fault."""

from switchgear_http.bodies import encode_json, expected_shape, read_json
from switchgear_http.connections import Connections
from switchgear_http.provider import HttpProvider
from switchgear_http.scrubbing import scrub
from switchgear_http.transport import HttpAnswer, HttpRequest, Transport

__all__ = [
    "Connections",
    "HttpAnswer",
    "HttpProvider",
    "HttpRequest",
    "Transport",
    "encode_json",
    "expected_shape",
    "read_json",
    "scrub",
]
