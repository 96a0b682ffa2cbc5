"""Documents: many items through one service, each translated once, by the first provider that can."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import aclosing
from itertools import takewhile
from typing import Any

import attrs
from switchgear import (
    AllProvidersFailed,
    Answer,
    InvalidInput,
    Outcome,
    ProviderManager,
    ProviderResult,
    SwitchgearError,
    UsageError,
)

from switchgear_translation.bill import Bill
from switchgear_translation.judging import REFUSED, RefusedItem
from switchgear_translation.limits import Limits, limits_of
from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest

# For providers without bounds too: progress is seen, and an interruption loses little.
MOST_TEXTS = 64
MOST = Limits(characters=20_000)

Service = ProviderManager[TranslationRequest, TranslationOutput]


@attrs.frozen
class Translated:
    """One item that has just been translated: its place in the request, from 0, and who did it."""

    place: int
    text: str = attrs.field(repr=False)
    provider: str
    detected: str | None = None


async def translate(
    service: Service,
    request: TranslationRequest,
    *,
    concurrency: int = 4,
    only: Collection[str] | None = None,
    exclude: Collection[str] = (),
    on_items: Callable[[Sequence[Translated]], None] | None = None,
    **options: Any,
) -> ProviderResult[TranslationOutput]:
    """Translate all items of the request, in calls that fit the providers' limits, `concurrency` at a time.

    An item that one provider fails, or a validator refuses, goes to the next provider, and the others do not: no
    provider gets an item twice, but for the service's own retries, and after it only asked for patience.
    `output.providers` says who translated each item. Blank items stay as they are, unsent. `on_items` hears of items as
    they are done. `options` are those of `ProviderManager.process`: `deadline` (for each call), `tenant`, `tags`.

    `usage`, `cost` and `attempts` are those of all calls together. Where some items failed, their texts are None,
    `metadata["failed"]` maps their places to reasons, and `metadata["partial"]` is True. With the service's
    `on_refused = "best"`, the best refused translation of an item is taken, and `metadata["refused"]` maps its place to
    the reason. Raises what the last call raised where nothing was translated.
    """
    allowed = _allowed(service, only, exclude)
    document = _Document(service, request, allowed, on_items)
    while document.waiting:
        group = document.next_group()
        # Named only where somebody is left out: such calls go past the service's cache.
        asked = [name for name in allowed if name not in group.tried]
        restricted = asked if len(asked) < len(service.providers) else None
        answers = service.map(document.parts(group), concurrency=concurrency, only=restricted, **options)
        async with aclosing(answers):
            async for answer in answers:
                document.note(answer, group)
    return document.result()


def _allowed(service: Service, only: Collection[str] | None, exclude: Collection[str]) -> list[str]:
    known = service.providers
    if unknown := sorted({*(only or ()), *exclude} - known.keys()):
        raise UsageError(f"{service.service} has no provider {', '.join(unknown)}; it has {', '.join(known)}")
    allowed = [name for name in known if (only is None or name in only) and name not in exclude]
    if not allowed:
        raise UsageError(f"{service.service}: every provider is left out; take one out of `exclude`")
    return allowed


@attrs.frozen
class _Group:
    """Items that wait for another try: the providers that have tried them, and how many may go into one request."""

    tried: frozenset[str] = frozenset()
    most: int = MOST_TEXTS


class _Document:
    """How far a document is."""

    def __init__(
        self,
        service: Service,
        request: TranslationRequest,
        allowed: Sequence[str],
        on_items: Callable[[Sequence[Translated]], None] | None,
    ) -> None:
        self._service = service
        self._request = attrs.evolve(request, per_item=True)
        self._providers = allowed
        self._tell = on_items
        self._done: dict[int, Translated] = {}
        self._refused: dict[int, tuple[RefusedItem, str]] = {}
        self._reasons: dict[int, str] = {}
        self._error: SwitchgearError | None = None
        self._bill = Bill()
        self._places: list[int] = []
        self._sent: list[tuple[Sequence[int], str]] = []
        blank = [place for place, text in enumerate(request.texts) if not text.strip()]
        self._done_before = {place: Translated(place, request.texts[place], "") for place in blank}
        self.waiting: dict[_Group, list[int]] = {}
        self._wait([place for place in range(len(request.texts)) if place not in self._done_before], _Group())

    def next_group(self) -> _Group:
        """The items that the fewest providers have tried, to be taken out of what waits."""
        group = min(self.waiting, key=lambda each: len(each.tried))
        self._places, self._sent = sorted(self.waiting.pop(group)), []
        return group

    def parts(self, group: _Group) -> Iterator[TranslationRequest]:
        """The group as requests. Made as they are needed: who is to be asked may change on the way."""
        rest = self._places
        while rest:
            first, part = self._of_one_provider(rest[: group.most], group)
            for limits in (MOST, limits_of(self._service.providers[first])):
                part = part[: len(next(limits.split([self._request.texts[place] for place in part])))]
            self._sent.append((part, first))
            yield self._part(part)
            rest = rest[len(part) :]

    def note(self, answer: Answer[TranslationRequest, TranslationOutput], group: _Group) -> None:
        """What became of one of the group's requests."""
        places, first = self._sent[answer.index]
        if answer.result is not None:
            self._note_result(places, answer.result, group)
        elif isinstance(answer.error, InvalidInput) and len(places) > 1:
            # One item may spoil a request: halves of it find out which.
            self._wait(places, attrs.evolve(group, most=(len(places) + 1) // 2))
        elif isinstance(answer.error, InvalidInput):
            self._error = answer.error
            self._reasons[places[0]] = str(answer.error)
        elif isinstance(answer.error, AllProvidersFailed):
            self._note_failure(places, answer.error, group, first)
        elif answer.error is not None:
            raise answer.error

    def result(self) -> ProviderResult[TranslationOutput]:
        best = self._best_of_the_refused() if self._service.on_refused == "best" else {}
        items = {**best, **self._done, **self._done_before}
        texts = self._request.texts
        failed = {place: self._reasons.get(place, "") for place in range(len(texts)) if place not in items}
        if failed and not (best or self._done):
            raise self._error or AllProvidersFailed(
                f"{self._service.service}: nothing translated; {'; '.join(dict.fromkeys(failed.values()))}",
                self._bill.attempts,
            )
        metadata: dict[str, Any] = {"calls": self._bill.calls}
        if failed:
            metadata |= {"failed": failed, "partial": True}
        if best:
            metadata["refused"] = {place: self._refused[place][0].reason for place in best}
        found = [items.get(place) for place in range(len(texts))]
        output = TranslationOutput(
            tuple(item.text if item else None for item in found),
            tuple(item.detected if item else None for item in found),
            self._bill.billed,
            tuple(item.provider if item else "" for item in found),
        )
        return self._bill.result(output, metadata)

    def _note_result(self, places: Sequence[int], result: ProviderResult[TranslationOutput], group: _Group) -> None:
        self._bill.add(result)
        # Who only asked for patience may still be asked for what this one could not do.
        in_vain = {each.provider for each in result.attempts if each.outcome is not Outcome.THROTTLED}
        tried = attrs.evolve(group, tried=group.tried | in_vain | {result.provider})
        refusal, refused = result.metadata.get("refused"), result.metadata.get(REFUSED, {})
        done: list[Translated] = []
        for index, (place, text) in enumerate(zip(places, result.output.texts, strict=True)):
            if text is not None and refusal is None:
                done.append(Translated(place, text, result.provider, result.output.detected[index]))
                continue
            item = refused.get(index) if text is None else RefusedItem(text, 0.0, str(refusal))
            self._note_item(place, item, result.provider)
            self._wait([place], tried)
        self._done.update((item.place, item) for item in done)
        if done and self._tell is not None:
            self._tell(done)

    def _note_item(self, place: int, refused: RefusedItem | None, provider: str) -> None:
        self._reasons[place] = f"{provider}: {refused.reason if refused else 'did not translate it'}"
        if refused is not None:
            known = self._refused.get(place)
            if known is None or refused.score > known[0].score:
                self._refused[place] = (refused, provider)

    def _note_failure(self, places: Sequence[int], error: AllProvidersFailed, group: _Group, first: str) -> None:
        self._error = error
        self._bill.add_failed(error.attempts)
        self._reasons.update(dict.fromkeys(places, str(error)))
        tried = {first, *(attempt.provider for attempt in error.attempts)}
        self._wait(places, attrs.evolve(group, tried=group.tried | tried))

    def _wait(self, places: Sequence[int], group: _Group) -> None:
        """Keep them for a later round, if there is anybody left to ask; else they have failed."""
        if places and not group.tried.issuperset(self._providers):
            self.waiting.setdefault(group, []).extend(places)

    def _best_of_the_refused(self) -> dict[int, Translated]:
        return {
            place: Translated(place, item.text, provider)
            for place, (item, provider) in sorted(self._refused.items())
            if place not in self._done
        }

    def _of_one_provider(self, places: Sequence[int], group: _Group) -> tuple[str, Sequence[int]]:
        """Whom the first item is for, and the items up to one for somebody else, such as one too long for the first."""
        first = self._first_asked(places[0], group)
        return first, list(takewhile(lambda place: self._first_asked(place, group) == first, places))

    def _first_asked(self, place: int, group: _Group) -> str:
        """Who would be asked for this item: its limits decide how much goes with it."""
        plan = self._service.explain(self._part([place]))
        names = [row.provider for row in plan.rows]  # those it would ask come first
        return next(name for name in names if name in self._providers and name not in group.tried)

    def _part(self, places: Sequence[int]) -> TranslationRequest:
        return attrs.evolve(self._request, texts=[self._request.texts[place] for place in places])
