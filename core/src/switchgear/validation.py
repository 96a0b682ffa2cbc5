"""Result validators made ready to run: one awaitable look at an answer."""

import asyncio
import inspect
from collections.abc import Sequence
from typing import Any

from switchgear.capability import Validator
from switchgear.errors import InvalidResult, UsageError
from switchgear.hookspecs import check_contract
from switchgear.results import ProviderResult, Refused


class ResultCheck:
    """All validators of a service, in order; the first that turns the answer down decides.

    Raises `UsageError` for one that cannot be called: answers it never saw must not pass as checked.
    """

    def __init__(self, validators: Sequence[Validator]) -> None:
        for validator in validators:
            if wrong := "; ".join(check_contract("validators", validator)):
                raise UsageError(f"validator {_name(validator)} {wrong}")
        self._checks = [
            (_name(validator), validator.check, _takes_refused(validator), getattr(validator, "blocking", False))
            for validator in validators
        ]

    async def refusal(
        self, request: Any, result: ProviderResult[Any], refused: Sequence[Refused]
    ) -> InvalidResult | None:
        """Why the answer is not good enough, or None. `refused`: the call's answers turned down so far."""
        for name, check, takes_refused, blocking in self._checks:
            arguments = (request, result, [each.result for each in refused]) if takes_refused else (request, result)
            try:
                if blocking:
                    await asyncio.to_thread(check, *arguments)
                else:
                    check(*arguments)
            except InvalidResult as error:
                return error
            # Foreign code: an answer that could not be checked must not pass as checked, nor end the call.
            except Exception as error:
                return InvalidResult(f"validator {name} broke: {type(error).__name__}")
        return None


def _name(validator: Validator) -> str:
    return type(validator).__name__


def _takes_refused(validator: Validator) -> bool:
    return "refused" in inspect.signature(validator.check).parameters
