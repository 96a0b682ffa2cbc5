"""Texts with `${...}` in them, and the texts that came out of such."""

import re

import tomli


class Interpolated(str):
    """A text that came out of a template; its `repr` shows the template, so that no message shows the value.

    `whole`: the template is one `${...}` and nothing else. `known`: False where the text is still the template,
    because the reference was not looked up; such a value passes as any scalar.
    """

    template: str
    whole: bool
    known: bool

    def __new__(cls, text: str, template: str = "${...}", whole: bool = False, known: bool = True) -> "Interpolated":
        self = super().__new__(cls, text)
        self.template, self.whole, self.known = template, whole, known
        return self

    def __repr__(self) -> str:
        return repr(self.template)


def is_unknown(value: object) -> bool:
    return isinstance(value, Interpolated) and not value.known


def is_template(text: str) -> bool:
    return "${" in text.replace("$$", "")


def literal(text: str) -> object:
    """The integer, number or boolean that the text is in TOML; the text itself if it is none."""
    if len(text) > 64 or not re.fullmatch(r"true|false|[+-]?[0-9][0-9A-Za-z_.+-]*", text, re.ASCII):
        return text
    try:
        value = tomli.loads(f"value = {text}")["value"]
    except tomli.TOMLDecodeError:
        return text
    return value if isinstance(value, int | float) else text
