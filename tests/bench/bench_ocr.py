"""What the OCR service makes of two engines, and what it costs over them: error rates by kind of page, CPU, wall time.

`--pages DIR` reads other pages than the shipped ones, such as `python tests/pages/make.py --seed 7 --out DIR` makes.
"""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
from figures import Row, Section, judged, parser, show
from PIL import Image
from switchgear import ProviderManager, Switchgear
from switchgear.blocking import Workers
from switchgear_ocr import OCR
from switchgear_rapidocr import RapidOcr
from switchgear_tesseract import Tesseract

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/pages"))

from engines import alone, decoded, rapidocr, tesseract  # noqa: E402 - lie with the pages
from score import cer  # noqa: E402

KINDS = ("clean", "columns", "noisy", "photo")
MOST_WRONG = {"clean": 0.01, "columns": 0.03, "noisy": 0.01, "photo": 0.07, "all": 0.02}
# An engine that alone does better than this would need no second one.
LEAST_WRONG_ALONE = 0.09
Read = Callable[[Path], str]


@attrs.frozen
class Engine:
    """One engine as anybody would call it: `opened` gives what reads a decoded page, in one thread at a time."""

    name: str
    provider: type[Any]
    opened: Callable[[], Callable[[Image.Image], Any]]


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--pages", type=Path, default=ROOT / "tests/pages")
    chosen = options.parse_args()
    quick = chosen.quick
    pages = pages_in(chosen.pages, 1 if quick else 4)
    # One page of each kind, often: the busier a machine, the more rounds it takes until one is left alone.
    sections = [*accuracy(pages), overhead(pages[:: 1 if quick else 4], 1 if quick else 6)]
    show([*sections, throughput((pages * 4)[: 4 if quick else 16], 1 if quick else 3)], chosen.json)


def pages_in(folder: Path, each: int) -> list[Path]:
    found = [sorted(path for path in folder.glob(f"{kind}-*") if path.suffix != ".txt")[:each] for kind in KINDS]
    return [path for paths in found for path in paths]


# Both asked for words with their boxes, as an answer has them.
ENGINES = (Engine("tesseract", Tesseract, tesseract), Engine("rapidocr", RapidOcr, rapidocr))


def accuracy(pages: Sequence[Path]) -> list[Section]:
    with Switchgear.open(ROOT / "docs/examples/demo/switchgear.toml") as board:
        twice: list[str] = []

        def service(path: Path) -> str:
            result = board.process_sync("scans", path, deadline=600.0)
            if len(result.attempts) > 1:
                twice.append(path.name)
            return str(result.output.text)

        readers: dict[str, Read] = {
            **{f"{name} alone": read for name, read in alone().items()},
            "provider tesseract": through(Tesseract(name="tesseract", concurrency=1)),
            "provider rapidocr": through(RapidOcr(name="rapidocr", concurrency=1)),
            "service": service,
        }
        rows = [accuracy_of(name, read, pages) for name, read in readers.items()]
    asked = len(set(twice))
    title = f"Character error rate by kind, {len(pages)} pages; {asked} asked twice by the service"
    # A page of each kind is no measure of an engine.
    judgement = [Section("Character error rate, against what it has to be", verdicts(rows))] if len(pages) > 4 else []
    return [Section(title, rows), *judgement]


def accuracy_of(name: str, read: Read, pages: Sequence[Path]) -> Row:
    read(pages[0])  # engines load once, and that is not what a page costs
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    started = time.process_time()
    for path in pages:
        rates[path.name.partition("-")[0]].append(cer(path.with_suffix(".txt").read_text("utf-8"), read(path)))
    cpu = (time.process_time() - started) / len(pages)
    means = {kind: statistics.mean(found) for kind, found in rates.items()}
    return {"who reads": name, **means, "all": statistics.mean(means.values()), "CPU s a page": cpu}


def verdicts(rows: Sequence[Row]) -> list[Row]:
    found = {row["who reads"]: row for row in rows}
    service = [
        {"what": f"the service, {kind}", "rate": rate, "target": f"<= {limit}", "verdict": judged(rate, limit)}
        for kind, limit in MOST_WRONG.items()
        for rate in [found["service"][kind]]
    ]
    alone = [
        {
            "what": f"{name}, its own order",
            "rate": found[name]["all"],
            "target": f">= {LEAST_WRONG_ALONE}",
            "verdict": judged(LEAST_WRONG_ALONE, found[name]["all"]),
        }
        for name in ("tesseract alone", "rapidocr alone")
    ]
    return [*service, *alone]


def through(provider: Any) -> Read:
    manager: ProviderManager[Any, Any] = ProviderManager([provider], deadline=None)
    return lambda path: str(manager.process_sync(OCR.request(path)).output.text)


def overhead(pages: Sequence[Path], rounds: int) -> Section:
    """Each page from its file through a manager, and the decoded page by the engine itself, in turn."""
    rows = [row for each in ENGINES for row in overhead_over(each, pages, rounds)]
    return Section(f"CPU over the engine's own, {len(pages)} pages, the least of {rounds}", rows)


def overhead_over(engine: Engine, pages: Sequence[Path], rounds: int) -> list[Row]:
    # In one thread: how much memory glibc takes back from a thread is luck, and worth 5 % of RapidOCR's time.
    worker = Workers(1, "both")
    provider = engine.provider(name="it", concurrency=1)
    provider._pool = worker
    manager: ProviderManager[Any, Any] = ProviderManager([provider], deadline=None)
    ask = worker.submit(engine.opened).result()
    worker.submit(lambda: ask(decoded(pages[0]))).result()
    manager.process_sync(OCR.request(pages[0]))
    sums = {"engine": 0.0, "path": 0.0, "decoding": 0.0, "validators": 0.0}
    for path in pages:
        least = dict.fromkeys(sums, float("inf"))
        for _ in range(rounds):
            page, request = decoded(path), OCR.request(path)
            results: list[Any] = []
            steps: dict[str, Callable[[], Any]] = {
                "engine": lambda page=page: worker.submit(lambda: ask(page)).result(),
                "path": lambda request=request, to=results: to.append(manager.process_sync(request)),
                "decoding": lambda path=path: decoded(path),
                "validators": lambda request=request, to=results: validate(request, to[0]),
            }
            for name, step in steps.items():
                least[name] = min(least[name], cpu_of(step))
        sums = {name: sums[name] + seconds for name, seconds in least.items()}
    manager.close()
    share = {name: seconds / sums["engine"] * 100 for name, seconds in sums.items()}
    whole = share["path"] - 100
    return [
        {
            "engine": engine.name,
            "what": "a file through the manager, over the decoded page by the engine",
            "%": whole,
            "target": 2.0,
            "verdict": judged(whole, 2.0),
        },
        {"engine": engine.name, "what": "of it decoding the file", "%": share["decoding"]},
        {
            "engine": engine.name,
            "what": "all four validators",
            "%": share["validators"],
            "target": 5.0,
            "verdict": judged(share["validators"], 5.0),
        },
    ]


def validate(request: Any, result: Any) -> None:
    """Ask every validator, each so that it refuses nothing."""
    kinds = OCR.validators
    for name in ("min-coverage", "min-confidence"):
        kinds[name](threshold=0.0).check(request, result)
    kinds["expect"](patterns=[".*"]).check(request, result)
    kinds["agreement"](threshold=0.0).check(request, result, refused=[result])


def cpu_of(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def throughput(pages: Sequence[Path], rounds: int) -> Section:
    """As many files with two workers: a service, and a thread pool by hand over the same engine, in turn."""
    rows = [row for each in ENGINES for row in throughput_of(each, pages, rounds)]
    return Section(f"{len(pages)} pages, two workers, medians of {rounds}", rows)


def throughput_of(engine: Engine, pages: Sequence[Path], rounds: int) -> list[Row]:
    own = threading.local()

    def by_hand(path: Path) -> Any:
        if not hasattr(own, "ask"):
            own.ask = engine.opened()
        return own.ask(decoded(path))

    with Switchgear.compose(service_of(engine.name)) as board, ThreadPoolExecutor(2) as pool:
        ways: dict[str, Callable[[], Any]] = {
            "a thread pool by hand": lambda: list(pool.map(by_hand, pages)),
            "the service": lambda: board["scans"]._home.run(
                lambda: drain(board["scans"].map(map(OCR.request, pages), concurrency=2))
            ),
        }
        for way in ways.values():
            way()
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(rounds):
            for name in list(ways)[:: 1 if turn % 2 else -1]:  # who comes second finds the caches warm
                taken[name].append(wall_of(ways[name]))
    hand, service = taken.values()
    ratio = statistics.median(mine / theirs for mine, theirs in zip(service, hand, strict=True))
    rows: list[Row] = [
        {"engine": engine.name, "how": name, "wall s": statistics.median(found)} for name, found in taken.items()
    ]
    return [rows[0], {**rows[1], "ratio": ratio, "target": 1.05, "verdict": judged(ratio, 1.05)}]


def service_of(engine: str) -> dict[str, Any]:
    provider = {"type": engine, "concurrency": 2}
    return {"services": {"scans": {"capability": "ocr", "deadline": "none", "providers": {"only": provider}}}}


async def drain(answers: Any) -> None:
    async for _ in answers:
        pass


def wall_of(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
