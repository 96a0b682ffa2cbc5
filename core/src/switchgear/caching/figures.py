"""What a cache has done since the process started."""

from decimal import Decimal

import attrs


@attrs.define(slots=True)
class LevelFigures:
    """One level: what it was asked and how that went.

    `unreadable` entries were corrupt, cut off, foreign or from the future; `errors` and `timeouts` were answered as
    misses, and `last_error` says what the last of them was; `skipped` were not even asked, its circuit being open;
    `refused` values could not be kept. Bytes are those of values as they went over the wire or to disk, none in memory.
    """

    lookups: int = 0
    found: int = 0
    stored: int = 0
    unreadable: int = 0
    errors: int = 0
    timeouts: int = 0
    skipped: int = 0
    refused: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    last_error: str = ""


@attrs.define(slots=True)
class CacheFigures:
    """One service's cache, to read from any thread.

    Each call that may be cached is one of: a `hit` (fresh), `stale`, `stale_on_error`, `shared` (it got the answer that
    another one was fetching) or a `miss`. `flights` reached for a provider; `refreshes` of them in the background.
    `uncacheable` requests have no fingerprint. `saved` is what the answers that were not bought again had cost.
    """

    hits: int = 0
    stale: int = 0
    stale_on_error: int = 0
    shared: int = 0
    misses: int = 0
    flights: int = 0
    refreshes: int = 0
    uncacheable: int = 0
    saved: Decimal = Decimal(0)
    levels: dict[str, LevelFigures] = attrs.Factory(dict)

    @property
    def hit_rate(self) -> float | None:
        """The share of calls that bought nothing, 0-1; None before the first."""
        served = self.hits + self.stale + self.stale_on_error + self.shared
        return served / (served + self.misses) if served + self.misses else None
