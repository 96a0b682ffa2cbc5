"""LibreTranslate's language codes, from BCP 47 tags and back: ISO 639-1, with three variants.

Models there are: https://docs.libretranslate.com/guides/supported_languages/, as of 2026-11-23. A server may have fewer
of them, or others of its own.
"""

from collections.abc import Collection, Mapping

from switchgear import Unsupported
from switchgear_translation import lookup, primary

# A server of any age knows its models' own codes; "zh-Hans", "zh-Hant" and "pt-BR" only those from 1.6 on.
_VARIANTS: Mapping[str, str] = {
    "zh": "zh", "zh-Hant": "zt", "zh-TW": "zt", "zh-HK": "zt", "zh-MO": "zt", "pt-BR": "pb", "no": "nb", "nn": "nb",
}  # fmt: skip
_TAGS: Mapping[str, str] = {"zh": "zh-Hans", "zt": "zh-Hant", "pb": "pt-BR"}
MODELS = frozenset(
    """
    ar az bg bn ca cs da de el en eo es et eu fa fi fr ga gl he hi hu id it ja ko ky lt lv ms nb nl pb pl pt ro ru
    sk sl sq sv th tl tr uk ur vi zh zt
    """.split()  # noqa: SIM905  # far easier to read than a list of strings
)


def code_of(tag: str) -> str:
    """`pt` for `pt-PT`, `zt` for `zh-TW`."""
    return lookup(tag, _VARIANTS) or primary(tag)


def tag_of(code: str) -> str:
    """`zh-Hant` for `zt`."""
    return _TAGS.get(code, code)


def check(tag: str, loaded: Collection[str]) -> None:
    """Raise `Unsupported` for a language that is not among the server's (`loaded`, as codes), or among all models."""
    code = code_of(tag)
    if code not in (loaded or MODELS):
        known = "this server" if loaded else "LibreTranslate"
        raise Unsupported(f"{known} does not speak {tag}", remedy="if it does, name its codes in `languages`")
