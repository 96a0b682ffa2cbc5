"""Character error rate of a reading against the truth.

Run as `python score.py TRUTH.txt READING.txt` for one figure. Both texts are normalised first, because a page does not
say which of several equal code points it was set in: NFKC, curly quotes and all dashes to ASCII, every run of
whitespace to one space, no whitespace at the ends. Case, accents and punctuation count.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

from rapidfuzz.distance import Levenshtein

_FOLDED = str.maketrans(
    {**dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"), **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"')}
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
)


def normalise(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text.translate(_FOLDED)).split())


def cer(truth: str, text: str) -> float:
    """Levenshtein distance over the length of the truth: 0 is perfect, and long inventions exceed 1.

    A page without text scores 0 when nothing was read and 1 when anything was.
    """
    wanted, got = normalise(truth), normalise(text)
    if not wanted:
        return float(bool(got))
    return Levenshtein.distance(wanted, got) / len(wanted)


if __name__ == "__main__":
    print(f"{cer(*(Path(name).read_text(encoding='utf-8') for name in sys.argv[1:3])):.4f}")
