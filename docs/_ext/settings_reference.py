"""Fills the configuration reference from the settings classes: a table of key, type, default and meaning for each."""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, get_args, get_type_hints

import attrs
from sphinx.application import Sphinx
from switchgear.config.settings import Component, Settings
from switchgear.config.wording import bare, described
from switchgear.durations import Duration, spell_duration

MARKER = "<!-- settings -->"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True}


def fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    if MARKER in source[0]:
        source[0] = source[0].replace(MARKER, "\n".join(sections(Settings)))


def sections(root: type[Any]) -> Iterator[str]:
    """The Markdown of every table that can be reached from the root, each class once, a table before its parts."""
    waiting, seen = [root], {root}
    for cls in waiting:  # grows while it is walked
        hints = get_type_hints(cls, include_extras=True)
        yield from table(cls, hints)
        for part in (part for hint in hints.values() for part in settings_in(hint) if part not in seen):
            waiting.append(part)
            seen.add(part)


def table(cls: type[Any], hints: dict[str, Any]) -> Iterator[str]:
    yield f"({anchor(cls)})="
    yield f"## {cls.__name__}\n"
    yield f"{cleandoc(cls.__doc__ or '')}\n"
    yield "| key | type | default | meaning |\n| --- | --- | --- | --- |"
    for option in (option for option in attrs.fields(cls) if option.init):
        hint = hints[option.name]
        cells = (f"`{option.name}`", type_of(hint), default_of(option, hint), option.metadata.get("help", ""))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def type_of(hint: Any) -> str:
    """In the words that error messages use; a table of a known shape as a link to it."""
    parts = settings_in(hint)
    if not parts:
        return described(hint)
    link = f"[{parts[0].__name__}](#{anchor(parts[0])})"
    origin = getattr(hint, "__origin__", None)
    return f"{link} each, by name" if origin is dict else f"a list of {link}" if origin is tuple else link


def default_of(option: "attrs.Attribute[Any]", hint: Any) -> str:
    if option.default is attrs.NOTHING:
        return "required"
    factory = getattr(option.default, "factory", None)
    return spelled(factory() if factory else option.default, hint)


def spelled(value: Any, hint: Any) -> str:
    """A default as it would be written in TOML; nothing where there is none."""
    if isinstance(value, Component):
        return f'`"{value.type}"`'
    if value is None or value in ((), {}) or attrs.has(type(value)):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if mentions(hint, Duration):
        return f'`"{spell_duration(value)}"`'
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def mentions(hint: Any, wanted: object) -> bool:
    return hint is wanted or any(mentions(part, wanted) for part in get_args(hint))


def settings_in(hint: Any) -> list[type[Any]]:
    """The settings classes that a type is made of."""
    hint = bare(hint)
    if isinstance(hint, type) and attrs.has(hint):
        return [hint]
    return [cls for part in get_args(hint) for cls in settings_in(part)]


def anchor(cls: type[Any]) -> str:
    return f"settings-{cls.__name__.lower()}"
