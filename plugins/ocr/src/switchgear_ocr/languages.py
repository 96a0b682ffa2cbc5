"""Languages by their ISO 639-3 codes, as requests and engines name them."""

from collections.abc import Iterable

from switchgear import InvalidInput

# The two-letter codes (ISO 639-1) that callers use for the languages OCR engines know.
TWO_LETTERS = {
    "af": "afr", "ar": "ara", "be": "bel", "bg": "bul", "bn": "ben", "bs": "bos", "ca": "cat", "cs": "ces",
    "cy": "cym", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa", "et": "est", "eu": "eus",
    "fa": "fas", "fi": "fin", "fr": "fra", "ga": "gle", "gl": "glg", "he": "heb", "hi": "hin", "hr": "hrv",
    "hu": "hun", "hy": "hye", "id": "ind", "is": "isl", "it": "ita", "ja": "jpn", "ka": "kat", "ko": "kor",
    "la": "lat", "lt": "lit", "lv": "lav", "mk": "mkd", "ms": "msa", "mt": "mlt", "nl": "nld", "no": "nor",
    "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sq": "sqi", "sr": "srp",
    "sv": "swe", "sw": "swa", "ta": "tam", "te": "tel", "th": "tha", "tr": "tur", "uk": "ukr", "ur": "urd",
    "vi": "vie", "zh": "zho",
}  # fmt: skip


def languages(value: str | Iterable[str] | None) -> tuple[str, ...]:
    """Read `"eng"`, `"en,de"`, `"eng+deu"` or a sequence of codes; duplicates go. Raises InvalidInput."""
    if value is None:
        return ()
    parts = value.replace("+", ",").split(",") if isinstance(value, str) else list(value)
    return tuple(dict.fromkeys(_code(part.strip()) for part in parts if part.strip()))


def _code(text: str) -> str:
    code = TWO_LETTERS.get(text.lower(), text.lower())
    if len(code) == 3 and code.isascii() and code.isalpha():
        return code
    raise InvalidInput(f"language {text!r}: not an ISO 639-3 code", remedy="Write for example eng, deu or jpn")
