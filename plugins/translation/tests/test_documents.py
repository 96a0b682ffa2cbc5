"""Documents over several vendors: every item once, in its place, by somebody who is named, and billed once."""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchgear import (
    AllProvidersFailed,
    Breaker,
    CachedProviderManager,
    InvalidInput,
    Price,
    ProviderError,
    ProviderManager,
    ProviderResult,
    Retry,
    SimpleProvider,
    Throttled,
    Unsupported,
    UsageError,
)
from switchgear.testing import VirtualClock, run
from switchgear_translation import (
    Limits,
    Translated,
    TranslationOutput,
    TranslationRequest,
    answer,
    characters,
    translate,
    usage,
)
from switchgear_translation.kept import Placeholders
from switchgear_translation.validators import Complete

GARBAGE = " "  # what the validator `complete` refuses
DOWN, SLOW_DOWN, CANNOT = ProviderError("down"), Throttled("slow down"), Unsupported("cannot")
Step = Exception | Callable[[str], str | None] | None


@attrs.define
class Vendor(SimpleProvider[TranslationRequest, TranslationOutput]):
    """Signs what it translates. `steps`: what becomes of each call, and of every one after the last as of the last."""

    steps: Sequence[Step] = ()
    most: Limits = attrs.field(factory=Limits)
    asked: list[tuple[str, ...]] = attrs.field(factory=list, init=False)
    billed: int = attrs.field(default=0, init=False)

    def limits(self) -> Limits:
        return self.most

    def validate_input(self, request: TranslationRequest) -> None:
        self.most.check(request)

    def estimate_usage(self, request: TranslationRequest) -> Any:
        return usage(request)

    async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
        self.asked.append(request.texts)
        step = self.steps[min(len(self.asked), len(self.steps)) - 1] if self.steps else None
        if isinstance(step, Exception):
            raise step
        texts = [self.signed(text) if step is None else step(text) for text in request.texts]
        result = answer(request, texts, billed=sum(len(a) for a, b in zip(request.texts, texts, strict=True) if b))
        self.billed += result.output.billed_characters or 0
        return result

    def signed(self, text: str) -> str:
        return f"{text}@{self.name}"

    @property
    def items(self) -> list[str]:
        return [text for texts in self.asked for text in texts]


def all_but(*bad: str, instead: str | None = None, by: str = "a") -> Callable[[str], str | None]:
    return lambda text: instead if text in bad else f"{text}@{by}"


def service(*vendors: Vendor, **options: Any) -> ProviderManager[TranslationRequest, TranslationOutput]:
    for name, vendor in zip("abcdefgh", vendors, strict=False):
        vendor.name = vendor.name or name
        vendor.price = Price(per_unit={"characters": Decimal("0.01")})
    options = {"retry": Retry(attempts=1), "breaker": Breaker(enabled=False), **options}
    return ProviderManager(vendors, validators=[Complete()], clock=VirtualClock(), **options)


def paragraphs(count: int) -> list[str]:
    """Texts of different lengths, none like the other."""
    return [f"{number}{'x' * (number % 7)}" for number in range(count)]


def request(*texts: str) -> TranslationRequest:
    return TranslationRequest(texts, source="en", target="de")


async def test_a_vendor_that_fails_in_the_middle_of_a_batch_loses_nothing_and_repeats_nothing() -> None:
    texts = paragraphs(30)
    first = Vendor(steps=[None, all_but("12xxxxx", "13xxxxxx"), DOWN], most=Limits(texts=10))
    second = Vendor(most=Limits(texts=4))
    result = await translate(service(first, second), request(*texts), concurrency=1)
    by_second = {12, 13, *range(20, 30)}
    signed = [f"{text}@{'b' if place in by_second else 'a'}" for place, text in enumerate(texts)]
    assert list(result.output.texts) == signed
    assert list(result.output.providers) == ["b" if place in by_second else "a" for place in range(30)]
    assert Counter(first.items) == Counter(texts)
    assert Counter(second.items) == Counter(texts[place] for place in by_second)
    assert result.usage == {"characters": characters(request(*texts))}
    assert result.cost == Decimal("0.01") * characters(request(*texts))
    assert result.output.billed_characters == first.billed + second.billed == characters(request(*texts))
    assert result.provider == "a, b"


def item_fates() -> st.SearchStrategy[Step]:
    """What becomes of a call: all of it fails, or some of its items come to nothing or are refused."""
    some = st.builds(
        lambda modulus, rest, instead: lambda text: instead if len(text) % modulus == rest % modulus else f"{text}@?",
        st.integers(1, 4),
        st.integers(0, 3),
        st.sampled_from([None, GARBAGE]),
    )
    return st.one_of(st.none(), st.sampled_from([DOWN, SLOW_DOWN, CANNOT]), some)


VENDORS = st.lists(
    st.builds(
        Vendor,
        steps=st.lists(item_fates(), max_size=6),
        most=st.builds(Limits, texts=st.none() | st.integers(1, 5), characters=st.none() | st.integers(1, 30)),
    ),
    min_size=1,
    max_size=3,
)


@settings(deadline=None)
@given(vendors=VENDORS, count=st.integers(1, 25), concurrency=st.integers(1, 4), retries=st.integers(1, 2))
def test_whatever_fails_no_item_is_lost_doubled_moved_or_billed_twice(
    vendors: list[Vendor], count: int, concurrency: int, retries: int
) -> None:
    check_no_item_is_lost(vendors, count, concurrency, retries)


def check_no_item_is_lost(vendors: list[Vendor], count: int, concurrency: int, retries: int) -> None:
    texts = paragraphs(count)
    heard: list[Translated] = []
    asked = [attrs.evolve(vendor) for vendor in vendors]

    async def ask() -> ProviderResult[TranslationOutput] | None:
        board = service(*asked, retry=Retry(attempts=retries, call_attempts=20))
        try:
            return await translate(board, request(*texts), concurrency=concurrency, on_items=heard.extend)
        except (AllProvidersFailed, InvalidInput):
            return None

    result = run(ask)
    for vendor in asked:
        most = max(Counter(vendor.items).values(), default=0)
        # Who asked for patience did not get the item: it may be asked again in every round, each led by another vendor.
        patience = len(vendors) if any(isinstance(step, Throttled) for step in vendor.steps) else 0
        assert most <= retries + patience, f"{vendor.name} got an item {most} times"
    if result is None:
        assert heard == []
        return
    _check_places(texts, result, asked)
    assert sorted(item.place for item in heard) == [place for place, name in enumerate(result.output.providers) if name]
    assert result.usage == {"characters": sum(vendor.billed for vendor in asked)}
    assert result.cost == Decimal("0.01") * sum(vendor.billed for vendor in asked)


def _check_places(texts: list[str], result: ProviderResult[TranslationOutput], asked: list[Vendor]) -> None:
    assert len(result.output.texts) == len(texts)
    tried = {vendor.name: Counter(vendor.items) for vendor in asked}
    for place, (text, found, name) in enumerate(zip(texts, result.output.texts, result.output.providers, strict=True)):
        assert (found is None) == (name == "") == (place in result.metadata.get("failed", {}))
        if found is not None:
            assert found.rpartition("@")[0] == text, f"item {place} holds what belongs to another"
            assert tried[name][text], f"{name} is said to have translated what it never got"
    assert bool(result.metadata.get("partial")) == (None in result.output.texts)


@settings(deadline=None)
@given(vendors=VENDORS, count=st.integers(1, 25))
def test_an_item_fails_only_after_everybody_who_could_take_it_was_asked(vendors: list[Vendor], count: int) -> None:
    check_everybody_is_asked(vendors, count)


def check_everybody_is_asked(vendors: list[Vendor], count: int) -> None:
    texts = paragraphs(count)
    asked = [attrs.evolve(vendor) for vendor in vendors]

    async def failed() -> list[int]:
        board = service(*asked)
        try:
            return list((await translate(board, request(*texts))).metadata.get("failed", {}))
        except (AllProvidersFailed, InvalidInput):
            return list(range(count))

    for place in run(failed):
        for vendor in asked:
            too_long = vendor.most.characters is not None and len(texts[place]) > vendor.most.characters
            wants_patience = SLOW_DOWN in vendor.steps
            asked_for_it = texts[place] in vendor.items
            assert asked_for_it or too_long or wants_patience, f"{vendor.name} was never asked for item {place}"


WORLDS = {"vendors": VENDORS, "count": st.integers(1, 25)}
AT_LENGTH = settings(max_examples=3000, deadline=None)


@pytest.mark.full
@AT_LENGTH
@given(**WORLDS, concurrency=st.integers(1, 4), retries=st.integers(1, 2))
def test_no_item_is_lost_or_doubled_in_thousands_of_worlds(
    vendors: list[Vendor], count: int, concurrency: int, retries: int
) -> None:
    check_no_item_is_lost(vendors, count, concurrency, retries)


@pytest.mark.full
@AT_LENGTH
@given(**WORLDS)
def test_nobody_who_could_help_is_left_unasked_in_thousands_of_worlds(vendors: list[Vendor], count: int) -> None:
    check_everybody_is_asked(vendors, count)


async def test_batches_fit_the_limits_of_the_provider_that_is_asked() -> None:
    first = Vendor(most=Limits(texts=3, characters=8))
    await translate(service(first), request("1", "22", "333", "4444", "55555", "666666"))
    assert sorted(first.asked) == [("1", "22", "333"), ("4444",), ("55555",), ("666666",)]


async def test_a_text_that_is_too_long_for_one_goes_to_another() -> None:
    first, second = Vendor(most=Limits(characters=5)), Vendor()
    result = await translate(service(first, second), request("short", "far too long", "tiny"))
    assert result.output.providers == ("a", "b", "a")


async def test_an_item_that_a_validator_refuses_goes_to_the_next_alone_and_both_are_billed() -> None:
    first, second = Vendor(steps=[all_but("two", instead=GARBAGE)]), Vendor()
    result = await translate(service(first, second), request("one", "two", "three"))
    assert second.asked == [("two",)]
    assert result.output.texts == ("one@a", "two@b", "three@a")
    assert result.usage == {"characters": 11 + 3}


async def test_an_item_that_all_refuse_is_told_and_the_others_are_kept() -> None:
    bad = all_but("two", instead=GARBAGE)
    result = await translate(service(Vendor(steps=[bad]), Vendor(steps=[bad])), request("one", "two"))
    assert result.output.texts == ("one@a", None)
    assert result.metadata["failed"].keys() == {1}
    assert "empty translation" in result.metadata["failed"][1]
    assert result.metadata["partial"] is True


async def test_with_on_refused_best_the_best_refused_item_is_taken_and_marked() -> None:
    bad = all_but("two", instead=GARBAGE)
    board = service(Vendor(steps=[bad]), Vendor(steps=[all_but("two", instead="", by="b")]), on_refused="best")
    result = await translate(board, request("one", "two"))
    assert result.output.texts[0] == "one@a"
    assert result.output.texts[1] is not None
    assert not result.output.texts[1].strip()
    assert result.metadata["refused"].keys() == {1}
    assert "failed" not in result.metadata


async def test_of_several_refused_translations_the_best_scored_is_taken_and_a_good_one_beats_them_all() -> None:
    texts = ("Lines {a} {b} {c}", "Other {a} {b} {c}", "kept", "Third {a} {b} {c}")
    first = Vendor(steps=[lambda text: _cut(text, 2 if "Third" in text else 1)])
    second = Vendor(steps=[lambda text: _cut(text, {"L": 2, "T": 1}.get(text[0], 0))])
    first.name, second.name = "a", "b"
    board = ProviderManager([first, second], validators=[Placeholders()], on_refused="best", clock=VirtualClock())
    result = await translate(board, request(*texts))
    assert result.output.texts == ("Lines {a} {b}", "Other {a} {b} {c}", "kept", "Third {a} {b}")
    assert result.output.providers == ("a", "b", "a", "b")
    assert result.metadata["refused"].keys() == {0, 3}


def _cut(text: str, placeholders: int) -> str:
    """The text without its last placeholders."""
    return text.rsplit(" ", placeholders)[0] if placeholders and "{" in text else text


async def test_items_that_come_back_from_several_calls_go_on_in_their_order() -> None:
    class SlowAtFirst(Vendor):
        async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
            await VirtualClock().sleep(1.0 if "0" in request.texts else 0.1)
            return await super().process(request)

    first = SlowAtFirst(steps=[lambda text: None if int(text[0]) % 2 else f"{text}@a"], most=Limits(texts=3))
    second = Vendor()
    await translate(service(first, second), request("0", "1", "2", "3", "4", "5"), concurrency=2)
    assert second.asked == [("1", "3", "5")]


async def test_a_price_that_is_not_known_makes_the_documents_cost_unknown() -> None:
    vendor = Vendor()
    board = service(vendor)
    vendor.price = None
    assert (await translate(board, request("one"))).cost is None


async def test_what_the_vendors_say_they_bill_is_unknown_where_an_answer_was_refused_as_a_whole() -> None:
    board = service(Vendor(steps=[lambda text: GARBAGE]), Vendor())
    result = await translate(board, request("one"))
    assert result.output.billed_characters is None
    assert result.usage == {"characters": 6}


async def test_blank_items_stay_as_they_are_and_are_not_sent() -> None:
    first = Vendor()
    result = await translate(service(first), request("", "one", " \n"))
    assert result.output.texts == ("", "one@a", " \n")
    assert result.output.providers == ("", "a", "")
    assert first.items == ["one"]
    blank = await translate(service(Vendor()), request(" "))
    assert (blank.output.texts, blank.provider, blank.metadata["calls"]) == ((" ",), "", 0)


async def test_one_item_that_is_invalid_does_not_take_the_rest_with_it() -> None:
    class Picky(Vendor):
        async def process(self, request: TranslationRequest) -> ProviderResult[TranslationOutput]:
            self.asked.append(request.texts)
            if "bad" in request.texts:
                raise InvalidInput("a text it does not like")
            return answer(request, [self.signed(text) for text in request.texts])

    texts = [*paragraphs(20), "bad", *paragraphs(5)]
    picky = Picky()
    result = await translate(service(picky), request(*texts))
    assert len(picky.asked) <= 11  # halves: two more calls for every power of two
    assert [place for place, text in enumerate(result.output.texts) if text is None] == [20]
    assert "does not like" in result.metadata["failed"][20]


async def test_where_nothing_is_translated_the_last_error_is_raised() -> None:
    with pytest.raises(AllProvidersFailed, match="down"):
        await translate(service(Vendor(steps=[DOWN]), Vendor(steps=[DOWN])), request("one", "two"))
    with pytest.raises(AllProvidersFailed, match="empty translation"):
        await translate(service(Vendor(steps=[lambda text: GARBAGE])), request("one"))


async def test_languages_that_nobody_speaks_are_invalid_input() -> None:
    class Mute(Vendor):
        def validate_input(self, request: TranslationRequest) -> None:
            raise Unsupported("it does not speak that")

    mute = Mute()
    with pytest.raises(InvalidInput, match="does not speak"):
        await translate(service(mute), request(*paragraphs(10)))
    assert mute.asked == []


async def test_only_and_exclude_hold_for_the_whole_document() -> None:
    first, second, third = Vendor(steps=[DOWN]), Vendor(), Vendor()
    board = service(first, second, third)
    result = await translate(board, request("one"), exclude=["b"])
    assert result.output.providers == ("c",)
    with pytest.raises(AllProvidersFailed):
        await translate(board, request("one"), only=["a"])
    assert second.asked == []
    with pytest.raises(UsageError, match="no provider z; it has a, b, c"):
        await translate(board, request("one"), only=["z"])
    with pytest.raises(UsageError, match="every provider is left out"):
        await translate(board, request("one"), exclude=["a", "b", "c"])


async def test_a_document_that_was_translated_before_comes_from_the_services_cache() -> None:
    vendor = Vendor(most=Limits(texts=2))
    vendor.name = "a"
    board = CachedProviderManager([vendor], validators=[Complete()], clock=VirtualClock())
    first = await translate(board, request(*paragraphs(5)))
    again = await translate(board, request(*paragraphs(5)))
    assert again.output.texts == first.output.texts
    assert len(vendor.asked) == 3
    assert again.cost == 0
    assert again.usage == {}


async def test_an_answer_that_lacks_items_is_not_kept() -> None:
    vendor = Vendor(steps=[all_but("two", instead=GARBAGE), None])
    vendor.name = "a"
    board = CachedProviderManager([vendor], validators=[Complete()], clock=VirtualClock())
    assert (await translate(board, request("one", "two"))).output.texts == ("one@a", None)
    assert (await translate(board, request("one", "two"))).output.texts == ("one@a", "two@a")


async def test_the_plain_call_falls_over_as_a_whole_where_items_are_missing() -> None:
    first, second = Vendor(steps=[all_but("two")]), Vendor()
    result = await service(first, second).process(request("one", "two"))
    assert result.output.texts == ("one@b", "two@b")
    assert result.output.providers == ()


async def test_a_plain_call_beyond_all_limits_says_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="3 texts, more than 2"):
        await service(Vendor(most=Limits(texts=2))).process(request("1", "2", "3"))


async def test_a_vendor_without_limits_still_gets_a_long_document_in_parts() -> None:
    vendor, parts = Vendor(), []
    await translate(service(vendor), request(*paragraphs(200)), on_items=lambda items: parts.append(len(items)))
    assert sum(parts) == 200
    assert len(parts) == 4


async def test_a_document_that_is_cancelled_leaves_nothing_under_way() -> None:
    import asyncio

    board = service(Vendor())
    task = asyncio.ensure_future(translate(board, request(*paragraphs(200))))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert board.in_flight == 0
