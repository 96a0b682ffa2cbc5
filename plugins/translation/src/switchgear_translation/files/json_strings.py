"""`.json`: the strings that are values; keys, numbers and the way it is written stay byte for byte."""

import json
import re
from collections.abc import Mapping

from switchgear import InvalidInput

from switchgear_translation.files.document import BOM, Document, replaced, unique

STRING = re.compile(r'"(?:[^"\\]|\\.)*"(?P<key>\s*:)?')


class JsonStrings(Document):
    """Every string that is a value is a text. The rest of the file is not even parsed anew."""

    def __init__(self, content: str, name: str) -> None:
        self._content = content
        try:
            json.loads(content.removeprefix(BOM))
        except ValueError as error:
            where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            raise InvalidInput(f"{name}: not JSON{where}") from None
        except RecursionError:
            raise InvalidInput(f"{name}: JSON that is nested too deeply") from None
        values = [match[0] for match in STRING.finditer(content) if match["key"] is None]
        self.texts = unique([_value(each) for each in values])

    def translated(self, translations: Mapping[str, str], target: str) -> str:
        def value(match: re.Match[str]) -> str:
            if match["key"] is not None:
                return match[0]
            text = _value(match[0])
            translation = replaced(text, translations)
            # As it was written: the same characters can be escaped in more than one way.
            return match[0] if translation == text else json.dumps(translation, ensure_ascii=False)

        return STRING.sub(value, self._content)


def _value(literal: str) -> str:
    text: str = json.loads(literal)
    return text
