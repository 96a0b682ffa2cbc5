"""JSON out, JSON in: what is sent, and what an answer says, with errors that repeat nothing of either."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from switchgear import InvalidInput, ProviderError

from switchgear_http.transport import HttpAnswer

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,40}", re.ASCII)
_MESSAGE_KEYS = ("message", "error", "explanation", "detail", "error_description", "title")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_json(value: Any) -> bytes:
    """As vendors get it: UTF-8, without escapes and blanks. Raises `InvalidInput` for half a surrogate pair."""
    try:
        return _encode(value).encode()
    except UnicodeEncodeError:  # it holds the text, so it must not come along
        pass
    raise InvalidInput("the request holds half of a surrogate pair, which no encoding has", remedy="repair the text")


def read_json(answer: HttpAnswer) -> Any:
    """The decoded body. Raises `ProviderError` where it is no JSON: proxies like to answer 200 with a page of HTML."""
    media_type = _MEDIA_TYPE.match(answer.headers.get("Content-Type", ""))
    found = media_type.group().lower() if media_type else "no content type"
    if "json" not in found:
        raise ProviderError(
            f"HTTP {answer.status}, but with {found} instead of JSON",
            remedy="check `base_url`, and what stands between here and the vendor",
        )
    try:
        return json.loads(answer.body.decode())
    except ValueError:  # it holds the body, so it must not come along
        pass
    raise ProviderError(f"HTTP {answer.status}, but {len(answer.body)} bytes that are no JSON")


@contextmanager
def expected_shape() -> Iterator[None]:
    """Around the lines that take an answer apart: one of another shape is the vendor's failure, and no plugin's bug."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        error.args = ()  # which may hold what was answered
        raise ProviderError(f"the answer is not of the documented shape ({type(error).__name__})") from None


def message_in(answer: HttpAnswer) -> str:
    """The text with which a JSON body explains an error; empty where there is none. Not safe to log as it is."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return ""
    for _ in range(3):  # {"error": {"message": ...}}
        if isinstance(body, str):
            return body
        if not isinstance(body, Mapping):
            return ""
        body = next((body[key] for key in _MESSAGE_KEYS if body.get(key)), None)
    return ""
