"""From BCP 47 to DeepL's codes and back."""

import deepl
import pytest
from switchgear_deepl.languages import LANGUAGES, source_code, tag_of, target_code

SDK = sorted(value for name, value in vars(deepl.Language).items() if name.isupper() and isinstance(value, str))


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "EN-US"), ("en-US", "EN-US"), ("en-GB", "EN-GB"), ("en-AU", "EN-GB"), ("en-PH", "EN-US"),
        ("pt", "PT-BR"), ("pt-BR", "PT-BR"), ("pt-PT", "PT-PT"), ("pt-AO", "PT-PT"),
        ("es", "ES"), ("es-ES", "ES"), ("es-MX", "ES-419"), ("es-419", "ES-419"),
        ("zh", "ZH-HANS"), ("zh-CN", "ZH-HANS"), ("zh-Hans-HK", "ZH-HANS"),
        ("zh-TW", "ZH-HANT"), ("zh-Hant", "ZH-HANT"),
        ("fr-CA", "FR"), ("de-CH", "DE"), ("no", "NB"), ("nn", "NB"), ("sr-Latn", "SR"), ("ca-valencia", "CA"),
    ],
)  # fmt: skip
def test_a_target_becomes_the_nearest_variant(tag: str, code: str) -> None:
    assert target_code(tag) == code


@pytest.mark.parametrize(("tag", "code"), [("en-GB", "EN"), ("pt-BR", "PT"), ("zh-Hant", "ZH"), ("no", "NB")])
def test_a_source_has_no_variant(tag: str, code: str) -> None:
    assert source_code(tag) == code


@pytest.mark.parametrize(
    ("code", "tag"), [("DE", "de"), ("PT-BR", "pt-BR"), ("ZH-HANS", "zh-Hans"), ("ES-419", "es-419"), ("NB", "nb")]
)
def test_codes_come_back_as_tags(code: str, tag: str) -> None:
    assert tag_of(code) == tag


def test_every_language_of_deepls_own_client_is_known_and_keeps_its_code() -> None:
    assert len(SDK) > 100
    for tag in SDK:
        assert source_code(tag) in LANGUAGES
        assert tag_of(tag.upper()) == tag
        if tag not in ("en", "pt", "zh"):  # which name no variant, as a target has to
            assert target_code(tag) == tag.upper()


def test_no_language_is_known_that_deepls_own_client_does_not_have() -> None:
    assert {tag.partition("-")[0].upper() for tag in SDK} == LANGUAGES
