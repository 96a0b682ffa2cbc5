"""Calls a service with every input, some at a time, and gives the answers in the inputs' order."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import attrs

from switchgear.cli.boards import Recorder
from switchgear.cli.call_flags import CallOptions
from switchgear.cli.inputs import Input
from switchgear.errors import ProviderError, SwitchgearError
from switchgear.messages import plugin_bug
from switchgear.stream import stream

if TYPE_CHECKING:
    from switchgear.capability import AnyCapability
    from switchgear.composition import Manager
    from switchgear.results import Call, ProviderResult

MADE_TO_FAIL = "made to fail by --fail"


@attrs.frozen(kw_only=True)
class Answer:
    """One input with what became of it: a result or an error, and the call's record if a call was made."""

    input: Input
    request: Any = None
    result: "ProviderResult[Any] | None" = None
    error: SwitchgearError | None = None
    call: "Call | None" = None


@attrs.frozen
class Caller:
    """Calls one service as the options of the command line say."""

    manager: "Manager"
    capability: "AnyCapability"
    options: CallOptions
    recorder: Recorder

    async def answers(self, inputs: Iterable[Input]) -> AsyncIterator[Answer]:
        """In the inputs' order, each as soon as it and those before it are ready."""
        answers = stream(inputs, self._answer, concurrency=self.options.concurrency, ordered=True)
        # Leaving early must end what is under way before the providers are closed.
        async with aclosing(answers):
            async for answer in answers:
                yield answer

    async def _answer(self, input: Input) -> Answer:
        request = None
        try:
            if input.error is not None:
                raise input.error
            request = make_request(self.capability, input, self.options.request)
            result = await self._process(request)
            return Answer(input=input, request=request, result=result, call=self.recorder.take(result.call_id))
        except SwitchgearError as error:
            return Answer(input=input, request=request, error=error, call=self.recorder.take(error.call_id))

    async def _process(self, request: Any) -> "ProviderResult[Any]":
        options = self.options
        return await self.manager.process(
            request,
            deadline=options.deadline,
            only=options.only or None,
            exclude=options.exclude,
            tenant=options.tenant,
            tags=options.tags,
        )


def make_request(capability: "AnyCapability", input: Input, options: Any) -> Any:
    """Raises `InvalidInput`, or `PluginBug` where the capability itself breaks."""
    try:
        return capability.request(input.value, **options)
    except SwitchgearError:
        raise
    # Foreign code: one input that a capability breaks on must not end the rest.
    except Exception as error:
        raise plugin_bug(error) from error


def make_fail(manager: "Manager", names: Sequence[str]) -> None:
    """Let the named providers fail from now on, without asking them."""

    async def fail(request: Any) -> Any:
        raise ProviderError(MADE_TO_FAIL)

    for name in names:
        manager.providers[name].process = fail  # type: ignore[method-assign]
