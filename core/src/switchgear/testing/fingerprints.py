"""Whether a capability's fingerprint holds all of a request."""

from collections.abc import Mapping
from typing import Any

import attrs

from switchgear.capability import AnyCapability
from switchgear.fingerprints import changes_answers


def check_fingerprint(
    capability: AnyCapability, request: Any, changes: Mapping[str, Any], *, ignored: tuple[str, ...] = ()
) -> None:
    """Raises `AssertionError` unless changing any field of the request changes its fingerprint.

    `changes` gives another value for each field of the request's attrs class. Left out are the fields in `ignored` and
    those that say `metadata={"answer": False}`: changing them must not change it.
    """
    fields = {field.alias or field.name: field for field in attrs.fields(type(request)) if field.init}
    counted = {name for name, field in fields.items() if changes_answers(field) and name not in ignored}
    untried = counted - changes.keys()
    assert not untried, f"changes has no other value for {', '.join(sorted(untried))}; name what changes no answer"
    own = capability.fingerprint(request)
    assert own is not None, "this request has no fingerprint, and will never be cached"
    assert own == capability.fingerprint(attrs.evolve(request)), "two equal requests have different fingerprints"
    for name, value in changes.items():
        same = capability.fingerprint(attrs.evolve(request, **{name: value})) == own
        assert same is (name not in counted), f"changing {name} {'does not change' if same else 'changes'} it"
