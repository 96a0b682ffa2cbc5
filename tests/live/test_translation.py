"""Real translation vendors, for a few cents: asked where the environment says how, skipped by name elsewhere.

`DEEPL_AUTH_KEY`, with `DEEPL_URL` for a region's address; `LIBRETRANSLATE_URL`, with `LIBRETRANSLATE_API_KEY` where the
server wants one; `APERTIUM_URL`.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from switchgear import BadCredentials, ProviderManager, ProviderResult, ProviderStatus, Secret, Unsupported
from switchgear_apertium import Apertium
from switchgear_deepl import DeepL
from switchgear_deepl.languages import LANGUAGES
from switchgear_http import HttpProvider
from switchgear_libretranslate import LibreTranslate
from switchgear_libretranslate.languages import MODELS, code_of
from switchgear_translation import TranslationRequest

pytestmark = pytest.mark.live

Ask = Callable[[Any], Any]


def environ(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.skip(f"{name} is not set: this vendor was NOT asked")
    return value


def deepl() -> DeepL:
    key = Secret(environ("DEEPL_AUTH_KEY"))
    return DeepL(name="deepl", api_key=key, base_url=os.environ.get("DEEPL_URL", ""))


def libretranslate() -> LibreTranslate:
    key = os.environ.get("LIBRETRANSLATE_API_KEY")
    return LibreTranslate(
        name="libretranslate", base_url=environ("LIBRETRANSLATE_URL"), api_key=Secret(key) if key else None
    )


def apertium() -> Apertium:
    return Apertium(name="apertium", base_url=environ("APERTIUM_URL"))


@attrs.frozen
class Vendor:
    make: Callable[[], HttpProvider[Any, Any]]
    target: str = "de"
    detects: bool = True
    has_key: bool = True


VENDORS = {
    "deepl": Vendor(deepl),
    "libretranslate": Vendor(libretranslate),
    "apertium": Vendor(apertium, target="es", detects=False, has_key=False),
}


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return VENDORS[request.param]


def used(provider: HttpProvider[Any, Any], use: Ask) -> Any:
    async def run() -> Any:
        await provider.aopen()
        try:
            return await use(provider)
        finally:
            await provider.aclose()

    return asyncio.run(run())


def test_it_translates(vendor: Vendor) -> None:
    request = TranslationRequest(["Good morning.", "I have 3 books."], source="en", target=vendor.target)
    result: ProviderResult[Any] = used(vendor.make(), lambda provider: provider.process(request))
    first, second = result.output.texts
    assert first != "Good morning."
    assert "3" in second
    assert result.usage is not None
    assert 20 <= result.usage["characters"] <= 40


def test_it_detects_the_language(vendor: Vendor) -> None:
    if not vendor.detects:
        pytest.skip("does not detect languages")
    request = TranslationRequest("Guten Morgen, wie geht es Ihnen heute?", target="en")
    result = used(vendor.make(), lambda provider: provider.process(request))
    assert result.output.detected == ("de",)


def test_it_is_well_and_the_doctor_finds_nothing(vendor: Vendor) -> None:
    assert used(vendor.make(), lambda provider: provider.health_check()) is ProviderStatus.AVAILABLE
    findings = used(vendor.make(), lambda provider: provider.diagnose())
    assert [finding for finding in findings if finding.ok is False] == []


def test_a_wrong_key_is_told_as_such(vendor: Vendor) -> None:
    provider: Any = vendor.make()
    if not vendor.has_key or provider.api_key is None:
        pytest.skip("wants no key")
    suffix = ":fx" if provider.api_key.reveal().endswith(":fx") else ""
    provider.api_key = Secret("00000000-0000-0000-0000-000000000000" + suffix)
    with pytest.raises(BadCredentials):
        used(provider, lambda provider: provider.process(TranslationRequest("Hello", source="en", target="de")))


def test_what_it_costs_is_known(vendor: Vendor) -> None:
    async def run() -> Any:
        async with ProviderManager([vendor.make()]) as manager:
            return await manager.process(TranslationRequest("Hello", source="en", target=vendor.target))

    assert asyncio.run(run()).cost is not None


def test_our_table_knows_all_of_deepls_languages() -> None:
    for kind in ("source", "target"):
        found = used(deepl(), lambda provider, kind=kind: provider.get_json(f"/v2/languages?type={kind}"))
        assert {each["language"].partition("-")[0].upper() for each in found} <= LANGUAGES


def test_our_table_knows_all_of_a_libretranslate_servers_languages() -> None:
    found = used(libretranslate(), lambda provider: provider.get_json("/languages"))
    assert {code_of(each["code"]) for each in found} <= MODELS


def test_a_language_that_nobody_speaks_is_refused_by_the_vendor_too() -> None:
    provider = deepl()
    with pytest.raises(Unsupported, match="HTTP 400"):
        used(provider, lambda provider: provider.process(TranslationRequest("Hello", target="tlh")))
