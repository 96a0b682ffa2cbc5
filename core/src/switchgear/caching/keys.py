"""Under which key an answer is kept: all of the request, what it is asked of, and for whom."""

from hashlib import blake2b
from typing import Any

from switchgear.fingerprints import canonical

_SIZE = 20  # 160 bits: among 2**60 entries, two share a key with a chance of 1 in 2**40


class Keys:
    """The keys of one service. `scope` is what all its requests have in common and answers depend on."""

    def __init__(self, service: str, *scope: Any) -> None:
        self.prefix = f"{service}:"
        self._scope = blake2b(canonical(scope), digest_size=_SIZE)
        # Two lengths, so that no tenant and no fingerprint can pass for parts of each other.
        self._without_tenant = self._scope.copy()
        self._without_tenant.update(canonical(None))

    def key(self, fingerprint: bytes, tenant: str | None = None) -> str:
        """Text that any backend takes; in Redis, keys of one service may lie in different slots."""
        if tenant is None:
            hashed = self._without_tenant.copy()
        else:
            hashed = self._scope.copy()
            hashed.update(canonical(tenant))
        hashed.update(fingerprint)
        return self.prefix + hashed.hexdigest()
