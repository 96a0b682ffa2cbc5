"""What every kind of file offers to be translated."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping

from switchgear import InvalidInput

LETTER = re.compile(r"[^\W\d_]")
BOM = "\ufeff"


class Document(ABC):
    """A file's content. `texts` are what there is to translate, each once, without the space around them.

    Raises `InvalidInput` where the content is not of its kind.
    """

    texts: tuple[str, ...]

    @abstractmethod
    def __init__(self, content: str, name: str) -> None: ...

    @abstractmethod
    def translated(self, translations: Mapping[str, str], target: str) -> str:
        """The content with these translations; a text that has none stays as it was."""


def decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name}: not UTF-8 (byte {error.start}); save it in that encoding") from None


def unique(texts: list[str]) -> tuple[str, ...]:
    """Each text once, without the space around it, and only where there is a letter in it."""
    return tuple(dict.fromkeys(text.strip() for text in texts if LETTER.search(text)))


def replaced(text: str, translations: Mapping[str, str]) -> str:
    """The translation in the place of the text, with the space around it as it was."""
    core = text.strip()
    start = text.find(core)
    return text[:start] + translations.get(core, core) + text[start + len(core) :]
