"""Every provider that talks HTTP, with a vendor of its own on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from switchgear import Secret
from switchgear.plugins import Catalog
from switchgear_apertium import Apertium
from switchgear_deepl import DeepL
from switchgear_deepl.testing import KEY, FakeDeepL
from switchgear_http import HttpProvider
from switchgear_http.testing import App, LocalServer, Received, Reply
from switchgear_libretranslate import LibreTranslate
from switchgear_libretranslate.testing import FakeLibreTranslate
from switchgear_translation import TranslationRequest

ROOT = Path(__file__).parents[2]
OURS = {f"switchgear-{path.parent.name}" for path in ROOT.glob("plugins/*/pyproject.toml")}
HASTY = {"connect_timeout": 2.0, "read_timeout": 0.1, "response_limit": 500_000}


@attrs.frozen(eq=False)
class Vendor:
    """How to make a provider, who plays its other end, what to ask, and the path where that arrives."""

    make: Callable[..., Any]
    app: Callable[[], App]
    request: Any
    path: str


def apertium(request: Received) -> Reply:
    """As APy answers; the tests of its package have a real one."""
    if request.path == "/listPairs":
        return Reply.json({"responseData": [{"sourceLanguage": "eng", "targetLanguage": "spa"}], "responseStatus": 200})
    return Reply.json({"responseData": {"translatedText": request.fields["q"].upper()}, "responseStatus": 200})


VENDORS = {
    "translation.apertium": Vendor(
        lambda url, **options: Apertium(name="apertium", base_url=url, **{**HASTY, **options}),
        lambda: apertium,
        TranslationRequest("Good morning, world.", source="en", target="es"),
        "/translate",
    ),
    "translation.deepl": Vendor(
        lambda url, **options: DeepL(name="deepl", base_url=url, **{"api_key": Secret(KEY), **HASTY, **options}),
        FakeDeepL,
        TranslationRequest("Good morning, world.", source="en", target="de"),
        "/v2/translate",
    ),
    "translation.libretranslate": Vendor(
        lambda url, **options: LibreTranslate(name="libretranslate", base_url=url, **{**HASTY, **options}),
        FakeLibreTranslate,
        TranslationRequest("Good morning, world.", source="en", target="de"),
        "/translate",
    ),
}


@pytest.fixture
def vendors() -> dict[str, Vendor]:
    return VENDORS


@pytest.fixture
def installed() -> set[str]:
    """The names of the providers that talk HTTP, of those that this repository offers."""
    catalog = Catalog()
    offers = [offer for offer in catalog.offers if offer.kind == "providers" and offer.distribution in OURS]
    loaded = {offer.name: catalog.load(offer) for offer in offers}
    return {name for name, each in loaded.items() if isinstance(each, type) and issubclass(each, HttpProvider)}


@pytest.fixture(params=list(VENDORS))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return VENDORS[request.param]


@pytest.fixture
def server(vendor: Vendor) -> Iterator[LocalServer]:
    with LocalServer(vendor.app()) as server:
        yield server
