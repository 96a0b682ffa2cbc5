"""A LibreTranslate on this machine, for tests: it speaks the API, and translates nothing."""

from typing import Any

import attrs
from switchgear_http.testing import Received, Reply

KEY = "libretranslate-key-of-the-fake"
LANGUAGES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French", "pt": "Portuguese", "zh-Hans": "Chinese"}


@attrs.define
class FakeLibreTranslate:
    """An app for `switchgear_http.testing.LocalServer`: each text comes back in brackets, `[de] Hello`.

    With `key`, it asks for one. Its answers and errors are those of LibreTranslate 1.9.6.
    """

    key: str | None = None
    char_limit: int = -1
    batch_limit: int = -1

    def __call__(self, request: Received) -> Reply:
        path = request.path.partition("?")[0]
        if path == "/health":
            return Reply.json({"status": "ok"})
        body = request.json if "json" in request.headers.get("content-type", "") else request.fields
        if path == "/languages":
            return Reply.json(
                [{"code": code, "name": name, "targets": [*LANGUAGES]} for code, name in LANGUAGES.items()]
            )
        if (request.method, path) not in (("POST", "/translate"), ("POST", "/detect")):
            return Reply.json({"error": "Not Found"}, 404)
        if self.key is not None and body.get("api_key") != self.key:
            return _error(403, "Invalid API key") if body.get("api_key") else _error(400, _NO_KEY)
        if path == "/detect":
            return Reply.json([{"confidence": 90.0, "language": "en"}])
        return self._translate(body)

    def _translate(self, body: dict[str, Any]) -> Reply:
        for name in ("q", "source", "target"):
            if not body.get(name):
                return _error(400, f"Invalid request: missing {name} parameter")
        texts = body["q"] if isinstance(body["q"], list) else [body["q"]]
        if isinstance(body["q"], list) and -1 < self.batch_limit < len(texts):
            return _too_long(len(texts), self.batch_limit)
        for text in texts:
            if -1 < self.char_limit < len(text):
                return _too_long(len(text), self.char_limit)
        for code in (body["source"], body["target"]):
            if _ALIASES.get(code, code) not in (*LANGUAGES, "auto"):
                return _error(400, f"{code} is not supported")
        return Reply.json(_answered(body, [f"[{body['target']}] {text}" for text in texts]))


_ALIASES = {"zh": "zh-Hans", "zt": "zh-Hant", "pb": "pt-BR"}
_NO_KEY = "Please contact the server operator to get an API key"


def _answered(body: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    is_batch = isinstance(body["q"], list)
    found: dict[str, Any] = {"translatedText": texts if is_batch else texts[0]}
    if body["source"] == "auto":
        language = {"confidence": 90.0, "language": "en"}
        found["detectedLanguage"] = [language] * len(texts) if is_batch else language
    return found


def _error(status: int, message: str) -> Reply:
    return Reply.json({"error": message}, status)


def _too_long(size: int, limit: int) -> Reply:
    return _error(400, f"Invalid request: request ({size}) exceeds text limit ({limit})")
