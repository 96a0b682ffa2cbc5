"""What the tests of configuration share."""

from collections.abc import Callable
from typing import Any

import pytest
from switchgear.config import from_mapping
from switchgear.errors import ConfigError, Problem

Refusals = Callable[..., dict[str, Problem]]


@pytest.fixture
def refusals() -> Refusals:
    """Every problem of some tables, by path. `environ` and `environment` as for `from_mapping`."""

    def refuse(tables: dict[str, Any], *, allow_unset: bool = False, **options: Any) -> dict[str, Problem]:
        document = from_mapping(tables, **{"environ": {}, **options})
        with pytest.raises(ConfigError) as caught:
            document.resolve(allow_unset=allow_unset)
        return {problem.path: problem for problem in caught.value.problems}

    return refuse


@pytest.fixture
def service() -> dict[str, Any]:
    """The least that is a working configuration."""
    return {"services": {"scans": {"capability": "ocr", "providers": {"fast": {"type": "tesseract"}}}}}
