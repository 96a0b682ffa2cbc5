"""The demo's service reads each kind of page well, and goes on to the second engine only where the first fails."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from score import cer
from switchgear import ProviderManager, ProviderResult, Switchgear
from switchgear_ocr import OCR, OcrOutput, OcrRequest

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "tests/pages"
# One of each kind in the first tier; `nox -s full` and the benchmark read them all.
FEW = ["clean-3.png", "columns-1.png", "noisy-2.jpg", "photo-4.jpg"]

Scans = ProviderManager[OcrRequest, OcrOutput]


@pytest.fixture(scope="module")
def scans() -> Iterator[Scans]:
    with Switchgear.open(ROOT / "docs/examples/demo/switchgear.toml") as board:
        yield board.service("scans", OCR)


def read(scans: Scans, name: str) -> ProviderResult[OcrOutput]:
    return scans.process_sync(OCR.request(PAGES / name), deadline=300.0)


def error_rate(result: ProviderResult[OcrOutput], name: str) -> float:
    return cer((PAGES / name).with_suffix(".txt").read_text("utf-8"), result.output.text)


@pytest.mark.parametrize("name", FEW)
def test_a_page_of_each_kind_is_read_well(scans: Scans, name: str) -> None:
    assert error_rate(read(scans, name), name) <= 0.02


def test_a_photo_goes_on_to_the_second_engine_and_a_scan_does_not(scans: Scans) -> None:
    assert [attempt.outcome.value for attempt in read(scans, "photo-4.jpg").attempts] == ["invalid_result", "success"]
    assert [attempt.outcome.value for attempt in read(scans, "clean-3.png").attempts] == ["success"]


@pytest.mark.full
def test_the_mixed_set_stays_within_its_error_rates(scans: Scans) -> None:
    rates = defaultdict(list)
    for path in sorted(PAGES.glob("*-*.*")):
        kind = path.name.partition("-")[0]
        if kind in ("clean", "columns", "noisy", "photo") and path.suffix != ".txt":
            rates[kind].append(error_rate(read(scans, path.name), path.name))
    means = {kind: sum(found) / len(found) for kind, found in rates.items()}
    assert {len(found) for found in rates.values()} == {4}
    assert means["clean"] <= 0.01
    assert means["noisy"] <= 0.01
    assert means["columns"] <= 0.03
    assert means["photo"] <= 0.07
    assert sum(means.values()) / 4 <= 0.02
