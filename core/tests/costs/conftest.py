"""Tests here are coroutines where they wait: they run on a loop whose time is virtual."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from loguru import logger
from switchgear.testing import run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    given: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in wanted}
    run(lambda: pyfuncitem.obj(**given))
    return True


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The library's log, switched on for a while."""
    lines: list[str] = []
    sink = logger.add(lines.append, level="DEBUG", format="{level} {message}")
    logger.enable("switchgear")
    yield lines
    logger.disable("switchgear")
    logger.remove(sink)
