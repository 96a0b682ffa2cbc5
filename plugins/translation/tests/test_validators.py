"""What validators let pass and what they turn down, answer by answer and item by item."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear import InvalidResult, ProviderResult
from switchgear.testing import ValidatorSuite
from switchgear.testing.suites.checks import raised_by
from switchgear_translation import TRANSLATION, TranslationOutput, TranslationRequest, answer
from switchgear_translation.identification import Language, likelihood
from switchgear_translation.judging import REFUSED
from switchgear_translation.kept import Numbers, Placeholders, Tags, numbers, placeholders, tags
from switchgear_translation.leftovers import KnownWords, Untranslated
from switchgear_translation.validators import Complete, Length

Pair = tuple[TranslationRequest, ProviderResult[TranslationOutput]]


def pair(source: str, text: str | None, **metadata: Any) -> Pair:
    request = TranslationRequest(source, source="en", target="de")
    return request, ProviderResult(TranslationOutput((text,)), metadata=metadata)


class TestPlaceholders(ValidatorSuite):
    def make(self) -> Placeholders:
        return Placeholders()

    def good(self) -> Sequence[Pair]:
        return [
            pair("Hello {name}, %d of %(all)d", "%d von %(all)d, hallo {name}"),
            pair("100% sure", "100 % sicher"),
            pair("50%discount %%s", "50 % Rabatt %% s"),
            pair("{{ user }} pays ${amount}", "{{user}} zahlt ${amount}"),
            pair("{n, plural, one {one dog of {who}} other {# dogs of {who}}}", "{n, plural, other {# Hunde: {who}}}"),
            pair("a set {1, 2}", "eine Menge {1, 2}"),
        ]

    def bad(self) -> Sequence[Pair]:
        return [
            pair("Hello {name}", "Hallo {Name}"),
            pair("Hello {name}", "Hallo"),
            pair("%s of %s", "%s von allen"),
            pair("%(x)d", "%(y)d"),
            pair("Hello", "Hallo {name}"),
            pair("{n, plural, other {#}}", "{zahl, plural, other {#}}"),
        ]


class TestTags(ValidatorSuite):
    def make(self) -> Tags:
        return Tags()

    def good(self) -> Sequence[Pair]:
        return [
            pair('<b>Big</b> <a title="x">y</a><br/>', '<br><a title="u">z</a> <b>groß</b>'),
            pair("1 < 2", "1 < 2"),
        ]

    def bad(self) -> Sequence[Pair]:
        return [pair("<b>Big</b>", "<b>groß"), pair("<b>Big</b>", "<i>groß</i>"), pair("Big", "<p>groß</p>")]


class TestNumbers(ValidatorSuite):
    def make(self) -> Numbers:
        return Numbers()

    def good(self) -> Sequence[Pair]:
        return [
            pair("1,234.56 in 2026", "2026: 1.234,56"),
            pair("10000 and 007", "10 000 und 7"),
            pair("3rd of May", "3. Mai"),
            pair("٣ books", "3 Bücher"),
            pair("no number", "1 Zahl mehr"),
        ]

    def bad(self) -> Sequence[Pair]:
        return [pair("in 2026", "im Jahr 2062"), pair("5 and 5", "5"), pair("1.5 litres", "15 Liter")]


class TestUntranslated(ValidatorSuite):
    def make(self) -> Untranslated:
        return Untranslated()

    def good(self) -> Sequence[Pair]:
        return [
            pair("The house stands near the river", "Das Haus steht am Fluss"),
            pair("Microsoft Windows", "Microsoft Windows"),
            pair("Information about the computer hardware", "Informationen zur Hardware des Rechners"),
        ]

    def bad(self) -> Sequence[Pair]:
        return [
            pair("The house stands near the river", "The house stands near the river"),
            pair("The house stands near the river", "Das house stands am river"),
        ]


class TestKnownWords(ValidatorSuite):
    def make(self) -> KnownWords:
        return KnownWords(threshold=0.8)

    def good(self) -> Sequence[Pair]:
        return [
            pair("The house is near", "Das Haus ist nahe"),
            pair("Use *.txt and the *star *here", "Nimm *.txt und den *Stern *hier"),
            pair("one two three four five", "eins zwei drei vier five", unknown_words=(1,)),
            pair("123", "123", unknown_words=(3,)),
        ]

    def bad(self) -> Sequence[Pair]:
        return [
            pair("The floobar is big", "Der *floobar ist groß"),
            pair("The floobar is big", "Der floobar ist groß", unknown_words=(1,)),
        ]


class TestLanguage(ValidatorSuite):
    def make(self) -> Language:
        return Language()

    def good(self) -> Sequence[Pair]:
        return [
            pair("x", "Alle Menschen sind frei und gleich an Würde und Rechten geboren."),
            pair("x", "short"),
            pair("x", "Das Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz {count} {total}"),
        ]

    def bad(self) -> Sequence[Pair]:
        return [
            pair("x", "All human beings are born free and equal in dignity and rights."),
            pair("x", "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren."),
        ]


class TestLength(ValidatorSuite):
    def make(self) -> Length:
        return Length()

    def good(self) -> Sequence[Pair]:
        return [
            pair("A sentence of ordinary length.", "Ein Satz von gewöhnlicher Länge."),
            pair("A sentence of ordinary length.", "普通の長さの文。"),
            pair("OK", "In Ordnung, so wird es gemacht"),
        ]

    def bad(self) -> Sequence[Pair]:
        return [
            pair("A sentence of ordinary length.", "Ein Satz"),
            pair("A sentence of ordinary length.", "Ein Satz von gewöhnlicher Länge. " * 4),
        ]


class TestComplete(ValidatorSuite):
    def make(self) -> Complete:
        return Complete()

    def good(self) -> Sequence[Pair]:
        return [pair("Hello", "Hallo"), pair(" ", "")]

    def bad(self) -> Sequence[Pair]:
        return [pair("Hello", None), pair("Hello", " ")]


THREE = ("first {a}", "second {b}", "third {c}")


def three(*texts: str | None, per_item: bool = False) -> Pair:
    request = TranslationRequest(THREE, target="de", per_item=per_item)
    return request, answer(request, texts)


def test_an_answer_of_several_texts_is_refused_with_their_mean_score() -> None:
    with pytest.raises(InvalidResult, match="1 of 3 texts: placeholders lost") as caught:
        Placeholders().check(*three("erster {a}", "zweiter", "dritter {c}"))
    assert caught.value.score == pytest.approx(2 / 3)


def test_item_by_item_only_what_is_objected_to_is_taken_out_and_kept_beside_the_answer() -> None:
    request, result = three("erster {a}", "zweiter", "dritter {c}", per_item=True)
    Placeholders().check(request, result)
    assert result.output.texts == ("erster {a}", None, "dritter {c}")
    assert result.metadata["partial"] is True
    assert result.metadata[REFUSED][1].text == "zweiter"
    assert "zweiter" not in repr(result.metadata[REFUSED])


def test_a_second_validator_looks_at_what_the_first_has_left() -> None:
    request, result = three("erster {a}", "zweiter", " ", per_item=True)
    Complete().check(request, result)
    Placeholders().check(request, result)
    assert result.output.texts == ("erster {a}", None, None)
    assert result.metadata[REFUSED].keys() == {1, 2}


def test_an_answer_of_which_nothing_would_be_left_is_refused_item_by_item_too() -> None:
    with pytest.raises(InvalidResult, match="3 of 3"):
        Placeholders().check(*three("erster", "zweiter", "dritter", per_item=True))


def test_items_that_are_missing_already_are_no_matter_for_other_validators() -> None:
    for name, kind in TRANSLATION.validators.items():
        if name != "complete":
            kind().check(*three("erster {a}", None, "dritter {c}"))


@given(st.text(max_size=60))
def test_a_text_keeps_all_that_it_has(text: str) -> None:
    for validator in (Placeholders(), Tags(), Numbers(), Length()):
        validator.check(*pair(text, text))


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_a_validator(source: str, text: str) -> None:
    for validator in (Placeholders(), Tags(), Numbers(), Untranslated(), KnownWords(), Length(), Complete()):
        refusal = raised_by(partial(validator.check, *pair(source, text)))
        if refusal is not None:
            assert isinstance(refusal, InvalidResult)
            assert 0 <= refusal.score <= 1


def test_the_parts_that_are_compared() -> None:
    assert list(placeholders("{0:>8} {user.name!r} %1$s %.2f %% {{x}}")) == [
        "{{x}}",
        "%1$s",
        "%.2f",
        "{0:>8}",
        "{user.name!r}",
    ]
    assert list(tags("<P class='a'>x</p><br />")) == ["<p>", "</p>", "<br>"]
    assert list(numbers("1 234 567,89; 1,23")) == ["1234567", "89", "1", "23"]


def test_a_language_that_cannot_be_told_is_not_judged() -> None:
    assert likelihood("nuqneH tlhIngan maH taHjaj", "tlh") is None
    assert likelihood("Alle mennesker er født frie", "nb") == 1.0
