"""`.po`: gettext catalogs, of which only what has no translation yet is translated."""

import re
from collections.abc import Mapping
from typing import Any

from switchgear import InvalidInput

from switchgear_translation.files.document import BOM, Document, replaced, unique

FORMS = re.compile(r"nplurals\s*=\s*(\d+)")


class Catalog(Document):
    """Each `msgid` (and `msgid_plural`) without a translation is a text; a fuzzy one counts as none.

    What a person has translated stays. Of a language with more than two plural forms, all but the first get the
    plural's translation.
    """

    def __init__(self, content: str, name: str) -> None:
        import polib  # type: ignore[import-untyped]

        try:
            self._file = polib.pofile(content.removeprefix(BOM) or "#\n")
        # Foreign code: its errors have no common class.
        except Exception as error:
            line = re.search(r"line (\d+)", str(error))
            raise InvalidInput(f"{name}: no gettext catalog{f', see line {line[1]}' if line else ''}") from None
        self._entries = [entry for entry in self._file if not entry.translated() and not entry.obsolete]
        self.texts = unique([text for entry in self._entries for text in (entry.msgid, entry.msgid_plural)])

    def translated(self, translations: Mapping[str, str], target: str) -> str:
        for entry in self._entries:
            wanted = {text.strip() for text in (entry.msgid, entry.msgid_plural) if text}
            if wanted <= translations.keys():
                self._fill(entry, translations)
        self._file.metadata["Language"] = target.replace("-", "_")
        return f"{self._file}"

    def _fill(self, entry: Any, translations: Mapping[str, str]) -> None:
        if entry.msgid_plural:
            one, many = replaced(entry.msgid, translations), replaced(entry.msgid_plural, translations)
            entry.msgstr_plural = {form: one if form == 0 < self._forms - 1 else many for form in range(self._forms)}
        else:
            entry.msgstr = replaced(entry.msgid, translations)
        # They belong to the translation that was there before.
        entry.flags = [flag for flag in entry.flags if flag != "fuzzy"]
        entry.previous_msgid = entry.previous_msgid_plural = entry.previous_msgctxt = None

    @property
    def _forms(self) -> int:
        found = FORMS.search(self._file.metadata.get("Plural-Forms", ""))
        return max(1, int(found[1])) if found else 2
