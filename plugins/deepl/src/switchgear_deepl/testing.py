"""A DeepL on this machine, for tests: it speaks the API, and translates nothing."""

import re
from typing import Any
from urllib.parse import parse_qsl

import attrs
from switchgear_http.testing import Received, Reply

KEY = "deepl-key-of-the-fake:fx"
_TRACE = "3ab7f1c2d4e54fa8"


@attrs.define
class FakeDeepL:
    """An app for `switchgear_http.testing.LocalServer`: each text comes back in brackets, `[DE] Hello`.

    It takes `key`, bills code points outside of tags, and says 456 once `limit` characters are used up. What it
    answers is of the shape of DeepL's own OpenAPI description; a test holds it to that.
    """

    key: str = KEY
    limit: int = 500_000
    used: int = 0

    def __call__(self, request: Received) -> Reply:
        if "user-agent" not in request.headers:
            return self._error(400, "Bad request")
        if request.headers.get("authorization") != f"DeepL-Auth-Key {self.key}":
            return Reply(status=403, headers={"X-Trace-ID": _TRACE})  # with an empty body, as DeepL does
        path = request.path.partition("?")[0]
        if (request.method, path) == ("GET", "/v2/usage"):
            return self._json({"character_count": self.used, "character_limit": self.limit})
        if (request.method, path) == ("POST", "/v2/translate"):
            return self._translate(_body(request))
        return self._error(404, "Not found")

    def _translate(self, body: dict[str, Any]) -> Reply:
        if "text" not in body or "target_lang" not in body:
            return self._error(400, "Parameter 'target_lang' not specified.")
        if not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{2,4})?", body["target_lang"]):
            return self._error(400, "Value for 'target_lang' not supported.")
        if not re.fullmatch(r"[A-Z]{2}", body.get("source_lang", "EN")):
            return self._error(400, "Value for 'source_lang' not supported.")
        billed = [_billed(text, body.get("tag_handling")) for text in body["text"]]
        if self.used + sum(billed) > self.limit:
            return self._error(456, "Quota for this billing period has been exceeded.")
        self.used += sum(billed)
        return self._json(
            {"translations": [_translation(*each, body) for each in zip(body["text"], billed, strict=True)]}
        )

    def _error(self, status: int, message: str) -> Reply:
        return Reply.json({"message": message}, status, X_Trace_ID=_TRACE)

    def _json(self, value: Any) -> Reply:
        return Reply.json(value, X_Trace_ID=_TRACE)


def _body(request: Received) -> dict[str, Any]:
    """JSON, or the form that DeepL's older clients send."""
    if "json" in request.headers.get("content-type", ""):
        found: dict[str, Any] = request.json
        return found
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
    return {**dict(pairs), "text": [value for name, value in pairs if name == "text"]}


def _translation(text: str, billed: int, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "detected_source_language": body.get("source_lang", "EN"),
        "text": f"[{body['target_lang']}] {text}" if text else "",
    }
    if body.get("show_billed_characters"):
        found["billed_characters"] = billed
    if "model_type" in body:
        found["model_type_used"] = body["model_type"].removeprefix("prefer_")
    return found


def _billed(text: str, tag_handling: str | None) -> int:
    return len(re.sub(r"<[^>]*>", "", text) if tag_handling else text)
