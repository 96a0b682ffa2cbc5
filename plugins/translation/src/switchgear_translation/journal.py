"""What has been translated so far, in a file that survives an interruption."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import attrs
from switchgear import fingerprint_of

from switchgear_translation.request import TranslationRequest


@attrs.define
class Journal:
    """Translations by what was asked for: the text, its languages, the manner. One line of JSON each, added as made.

    Only its owner can read it. A line that an interruption cut off is passed over.
    """

    path: Path
    _known: dict[str, str] = attrs.field(factory=dict, init=False, repr=False)
    _file: int | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                entry = json.loads(line)
                self._known[entry["key"]] = entry["text"]
            except (ValueError, TypeError, KeyError):
                continue

    def known(self, request: TranslationRequest) -> dict[str, str]:
        """Those of the request's texts that are translated, with their translations."""
        found = {text: self._known.get(key(request, text)) for text in request.texts}
        return {text: translation for text, translation in found.items() if translation is not None}

    def add(self, request: TranslationRequest, translations: Mapping[str, str], provider: str) -> None:
        """Keep translations of texts of this request."""
        lines = []
        for text, translation in translations.items():
            self._known[key(request, text)] = translation
            lines.append({"key": key(request, text), "text": translation, "provider": provider})
        # One write: what is not there as a whole is not there, and another program's lines are not cut in two.
        os.write(self._opened(), "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())

    def close(self, *, remove: bool = False) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if remove:
            self.path.unlink(missing_ok=True)

    def _opened(self) -> int:
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            # After a line that was cut off, the next one must not be its end.
            os.write(self._file, b"\n")
        return self._file


def key(request: TranslationRequest, text: str) -> str:
    """What a translation depends on, as a digest: the text, and all of the request but its other texts."""
    return fingerprint_of(attrs.evolve(request, texts=(text,))).hex()
