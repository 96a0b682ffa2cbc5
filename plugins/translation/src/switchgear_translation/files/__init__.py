"""Files that are translated as a whole: what is in them to translate, and the file again with the translations."""

from pathlib import Path

from switchgear import InvalidInput

from switchgear_translation.files.catalog import Catalog
from switchgear_translation.files.document import Document, decoded
from switchgear_translation.files.json_strings import JsonStrings
from switchgear_translation.files.plain_text import PlainText

READERS: dict[str, type[Document]] = {".txt": PlainText, ".json": JsonStrings, ".po": Catalog}


def read(content: bytes, name: str) -> Document:
    """The document of a file's content, by the suffix of its name. Raises `InvalidInput`."""
    suffix = Path(name).suffix.lower()
    if suffix not in READERS:
        raise InvalidInput(f"{name}: no file that can be translated; they end in {', '.join(READERS)}")
    return READERS[suffix](decoded(content, name), name)


__all__ = ["READERS", "Document", "PlainText", "read"]
