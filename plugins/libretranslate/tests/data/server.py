"""LibreTranslate's own HTTP server with no model behind it: each text comes back in brackets, `[de] Hello`.

Runs in an environment of its own, with the command line of the real one.
"""

import sys
import types
from typing import Any

LANGUAGES = {
    "en": "English",
    "de": "German",
    "es": "Spanish",
    "pb": "Portuguese (Brazil)",
    "zt": "Chinese (traditional)",
}


class Value:
    def __init__(self, value: str) -> None:
        self.value = value


class Translation:
    def __init__(self, target: "Language") -> None:
        self.to_lang = target

    def hypotheses(self, text: str, count: int) -> list[Value]:
        if "break the engine" in text:
            raise RuntimeError(f"no engine for {text}")
        return [Value(f"[{self.to_lang.code}] {text}")] * count


class Language:
    def __init__(self, code: str, name: str) -> None:
        self.code = code
        self.name = name

    def get_translation(self, target: "Language") -> Translation | None:
        # Nothing is translated into Spanish from here: a pair that a server may lack.
        return None if target.code == "es" else Translation(target)

    @property
    def translations_from(self) -> list[Translation]:
        return [Translation(each) for each in INSTALLED if each.code != "es"]


INSTALLED = [Language(code, name) for code, name in LANGUAGES.items()]


def module(name: str, **contents: Any) -> types.ModuleType:
    made = sys.modules[name] = types.ModuleType(name)
    vars(made).update(contents)
    return made


package = module("argostranslate.package", get_installed_packages=lambda: [1, 2, 3])
translate = module("argostranslate.translate", get_installed_languages=lambda: INSTALLED)
module("argostranslate", package=package, translate=translate)
html = module(
    "argostranslatefiles.translatehtml", translate_html=lambda found, text: found.hypotheses(text, 1)[0].value
)
module("argostranslatefiles", get_supported_formats=list, translatehtml=html)
module("minisbd", download_models=lambda *arguments: None)

from libretranslate.main import main  # noqa: E402

main()
