"""The demo's service reads each kind of page well, and goes on to the second engine only where the first fails."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engines import alone
from score import cer
from switchgear import ProviderManager, ProviderResult, Switchgear
from switchgear_ocr import OCR, OcrOutput, OcrRequest

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "tests/pages"
KINDS = ("clean", "columns", "noisy", "photo")
MOST_WRONG = {"clean": 0.01, "columns": 0.03, "noisy": 0.01, "photo": 0.07}
MOST_WRONG_AT_ALL = 0.02
# An engine that alone does better than this would need no second one.
LEAST_WRONG_ALONE = 0.09
# One of each kind in the first tier; `nox -s full` and the benchmark read them all.
FEW = ["clean-3.png", "columns-1.png", "noisy-2.jpg", "photo-4.jpg"]

Scans = ProviderManager[OcrRequest, OcrOutput]


@pytest.fixture(scope="module")
def scans() -> Iterator[Scans]:
    with Switchgear.open(ROOT / "docs/examples/demo/switchgear.toml") as board:
        yield board.service("scans", OCR)


def read(scans: Scans, name: str) -> ProviderResult[OcrOutput]:
    return scans.process_sync(OCR.request(PAGES / name), deadline=300.0)


def error_rate(text: str, name: str) -> float:
    return cer((PAGES / name).with_suffix(".txt").read_text("utf-8"), text)


def mean_error_rates(read_text: Callable[[Path], str]) -> dict[str, float]:
    """By kind of page, over the four of each."""
    pages = {kind: [path for path in PAGES.glob(f"{kind}-?.*") if path.suffix != ".txt"] for kind in KINDS}
    assert {len(paths) for paths in pages.values()} == {4}
    return {
        kind: sum(error_rate(read_text(path), path.name) for path in paths) / len(paths)
        for kind, paths in pages.items()
    }


@pytest.mark.parametrize("name", FEW)
def test_a_page_of_each_kind_is_read_as_well_as_its_kind_has_to_be(scans: Scans, name: str) -> None:
    assert error_rate(read(scans, name).output.text, name) <= MOST_WRONG[name.partition("-")[0]]


def test_a_photo_goes_on_to_the_second_engine_and_a_scan_does_not(scans: Scans) -> None:
    assert [attempt.outcome.value for attempt in read(scans, "photo-4.jpg").attempts] == ["invalid_result", "success"]
    assert [attempt.outcome.value for attempt in read(scans, "clean-3.png").attempts] == ["success"]


@pytest.mark.full
def test_the_mixed_set_stays_within_its_error_rates(scans: Scans) -> None:
    means = mean_error_rates(lambda path: read(scans, path.name).output.text)
    assert {kind: rate for kind, rate in means.items() if rate > MOST_WRONG[kind]} == {}
    assert sum(means.values()) / len(means) <= MOST_WRONG_AT_ALL


@pytest.mark.full
@pytest.mark.parametrize("engine", ["tesseract", "rapidocr"])
def test_neither_engine_alone_reads_the_mixed_set_as_well(engine: str) -> None:
    means = mean_error_rates(alone()[engine])
    assert sum(means.values()) / len(means) >= LEAST_WRONG_ALONE
