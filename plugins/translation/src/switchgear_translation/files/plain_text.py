"""`.txt`: paragraphs, set apart by blank lines."""

import re
from collections.abc import Mapping

from switchgear_translation.files.document import BOM, Document, replaced, unique

BLANK_LINES = re.compile(r"(\r?\n(?:[ \t]*\r?\n)+)")


class PlainText(Document):
    """Each paragraph is a text; blank lines and the space around paragraphs stay."""

    def __init__(self, content: str, name: str) -> None:
        self._pieces = BLANK_LINES.split(content)
        self.texts = unique([piece.removeprefix(BOM) for piece in self._pieces])

    def translated(self, translations: Mapping[str, str], target: str) -> str:
        return "".join(
            BOM + replaced(piece[1:], translations) if piece.startswith(BOM) else replaced(piece, translations)
            for piece in self._pieces
        )
