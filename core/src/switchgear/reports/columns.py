"""Which column of a bill is what, told by its heading."""

import re
from collections.abc import Mapping, Sequence

from switchgear.errors import UsageError

# What a column can be, and the headings that it is known by. `usage amount` has to be known before `amount`.
KINDS = {
    "date": ("date", "day", "month", "period", "usage date", "start date", "period start", "invoice date", "timestamp",
             "start time", "time"),
    "currency": ("currency", "currency code"),
    "quantity": ("quantity", "usage quantity", "usage amount", "units", "calls", "requests", "usage", "count"),
    "amount": ("amount", "cost", "total", "net amount", "total cost", "charge", "charges", "net", "price"),
    "provider": ("provider", "service", "product", "item", "vendor", "description", "line item", "sku", "name"),
}  # fmt: skip
# Columns whose heading has one of these words are taken only for what they are said to be.
_OTHERS = frozenset({"unit", "rate", "per", "tax", "vat", "discount", "end"})


def find_columns(headings: Sequence[str], given: Mapping[str, str], unit: str | None = None) -> dict[str, str]:
    """The headings by kind; `given` beats what is found, and `unit` is one more word for quantities.

    Raises `UsageError` where one is missing or not clear.
    """
    kinds = {**KINDS, "quantity": (unit, *KINDS["quantity"])} if unit else KINDS
    for kind, heading in given.items():
        if kind not in KINDS:
            raise UsageError(f"--map {kind}: a column can be {', '.join(KINDS)}")
        if heading not in headings:
            raise UsageError(f"--map {kind}: the bill has no column {heading!r}; it has: {', '.join(headings)}")
    columns = dict(given)
    for find in (_same, _alike):
        for kind in [kind for kind in kinds if kind not in columns]:
            found = find(kind, kinds[kind], [heading for heading in headings if heading not in columns.values()])
            if found is not None:
                columns[kind] = found
    for kind in ("date", "amount"):
        if kind not in columns:
            problem = UsageError(f"no column of the bill looks like its {kind}; it has: {', '.join(headings)}")
            problem.remedy = f"Name it: --map {kind}=COLUMN"
            raise problem
    return columns


def _same(kind: str, names: Sequence[str], headings: Sequence[str]) -> str | None:
    """A heading that is one of the known ones."""
    known = [name.split() for name in names]
    ranked = sorted((known.index(words), heading) for heading in headings if (words := _words(heading)) in known)
    return ranked[0][1] if ranked else None


def _alike(kind: str, names: Sequence[str], headings: Sequence[str]) -> str | None:
    """The only heading with all words of a known one, of which those with most words are tried first."""
    words = {heading: {*_words(heading)} for heading in headings}
    likely = [heading for heading in headings if words[heading].isdisjoint(_OTHERS)]
    for name in sorted(names, key=lambda name: -len(name.split())):
        near = [heading for heading in likely if words[heading].issuperset(name.split())]
        if len(near) > 1:
            problem = UsageError(f"the {kind} of the bill can be in several columns: {', '.join(near)}")
            problem.remedy = f"Say which: --map {kind}={near[0]!r}"
            raise problem
        if near:
            return near[0]
    return None


def _words(heading: str) -> list[str]:
    """Of `UsageStartDate`, `usage_start_date` and `Usage start date (UTC)` the same."""
    bare = re.sub(r"[(\[].*?[)\]]", " ", heading)
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", bare)
    return re.sub(r"[^a-z0-9]+", " ", spaced.lower()).split()
