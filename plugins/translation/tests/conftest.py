"""Tests here are coroutines where they wait: they run on a loop whose time is virtual."""

import inspect
from typing import Any

import pytest
from switchgear.testing import run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    given: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in wanted}
    run(lambda: pyfuncitem.obj(**given))
    return True
