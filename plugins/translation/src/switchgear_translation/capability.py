"""The capability `translation`: what a call takes, what it gives, and how an answer is shown."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from switchgear import Capability, Effect, InvalidInput

from switchgear_translation.answering import usage
from switchgear_translation.identification import Language
from switchgear_translation.kept import Numbers, Placeholders, Tags
from switchgear_translation.leftovers import KnownWords, Untranslated
from switchgear_translation.output import TranslationOutput
from switchgear_translation.request import TranslationRequest
from switchgear_translation.validators import Complete, Length

OPTIONS = ("target", "source", "formality", "format", "glossary", "context", "per_item")
PARAGRAPHS = "\n\n"


class TranslationCapability(Capability[TranslationRequest, TranslationOutput]):
    """Texts from one language into another."""

    name = "translation"
    version = "1"
    effect = Effect.PURE
    request_type = TranslationRequest
    output_type = TranslationOutput
    validators: ClassVar[Mapping[str, type[Any]]] = {
        "complete": Complete,
        "placeholders": Placeholders,
        "tags": Tags,
        "numbers": Numbers,
        "untranslated": Untranslated,
        "known-words": KnownWords,
        "language": Language,
        "length": Length,
    }
    suffixes = (".txt",)
    formats = ("text", "json")
    units = ("characters",)
    default_service: ClassVar[Mapping[str, Any]] = {
        "validate": [{"type": "complete"}],
        "on_refused": "best",
        # Those that send nothing to anybody come first.
        "providers": {
            "fasttranslate": {"type": "fasttranslate", "priority": 1},
            "apertium": {"type": "apertium", "priority": 2},
        },
    }

    def request(self, value: Any, **options: Any) -> TranslationRequest:
        """A request from a text, texts, UTF-8 bytes, or a path to a text file, whose paragraphs are the items.

        A `str` is a path if it ends in a suffix of such files and has no white space. Options: target (required),
        source, formality, format, glossary, context, per_item.
        """
        if isinstance(value, TranslationRequest) and not options:
            return value
        for option in options:
            if option not in OPTIONS:
                raise InvalidInput(f"translation: unknown option {option!r}; there are {', '.join(OPTIONS)}")
        if "target" not in options:
            raise InvalidInput("translation: no language to translate into; give the option target, such as target=de")
        if isinstance(value, str) and _is_path(value, self.suffixes):
            value = Path(value)
        return TranslationRequest(_texts(value), **options)

    def usage(self, request: TranslationRequest) -> dict[str, Decimal]:
        return usage(request)

    def to_json(self, output: TranslationOutput) -> dict[str, Any]:
        return {
            "texts": list(output.texts),
            "detected": list(output.detected),
            "billed_characters": output.billed_characters,
            "providers": list(output.providers),
        }

    def render(self, output: TranslationOutput, format: str = "text") -> str:
        if format == "text":
            return PARAGRAPHS.join(text or "" for text in output.texts)
        if format == "json":
            return json.dumps(self.to_json(output), ensure_ascii=False, indent=2)
        raise InvalidInput(f"translation: unknown format {format!r}; there are {', '.join(self.formats)}")


def _is_path(text: str, suffixes: tuple[str, ...]) -> bool:
    return text.lower().endswith(suffixes) and not any(map(str.isspace, text))


def _texts(value: Any) -> Any:
    if isinstance(value, Path):
        value = _content(value)
    elif not isinstance(value, bytes | bytearray):
        return value
    try:
        text = bytes(value).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("not UTF-8; save the text in that encoding") from None
    return [part for part in map(str.strip, text.replace("\r\n", "\n").split(PARAGRAPHS)) if part]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read ({error.strerror}); check the path") from error


TRANSLATION = TranslationCapability()
