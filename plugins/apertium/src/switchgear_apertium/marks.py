"""The marks that Apertium puts before words it does not know: `El *floobar es grande.`"""

import re

MARK = "*"
# A private character stands for the text's own asterisks while the text is there; what comes back as one is a mark.
STAND_IN = "\ue000"
# Marks come where a word begins for Apertium, which may be within what is a word to others: `%*s`.
_BEFORE_A_LETTER = re.compile(r"\*(?=\w)")


def hide(text: str) -> str:
    """The text without asterisks of its own."""
    return text.replace(MARK, STAND_IN)


def read(text: str, *, keep: bool) -> tuple[str, int]:
    """What Apertium gave, with or without its marks, and how many there were."""
    count = len(_BEFORE_A_LETTER.findall(text))
    return (text if keep else _BEFORE_A_LETTER.sub("", text)).replace(STAND_IN, MARK), count
