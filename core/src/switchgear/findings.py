"""What somebody found who looked at a provider: the answer of its `diagnose()`, shown by `switchgear doctor`."""

import attrs


@attrs.frozen
class Finding:
    """One thing that was looked at.

    `check` names it in a word (`reachable`, `credentials`, `clock`); `ok` is None where nobody can tell. `detail` and
    `remedy` are shown, and must be safe to show: no keys, no content.
    """

    check: str
    ok: bool | None
    detail: str
    remedy: str = ""
