"""DeepL's language codes, from BCP 47 tags and back.

Sources: https://developers.deepl.com/docs/getting-started/supported-languages and DeepL's own client 1.32, as of
2026-11-23.
"""

from collections.abc import Collection

from switchgear import Unsupported
from switchgear_translation import primary

LANGUAGES = frozenset(
    """
    ACE AF AN AR AS AY AZ BA BE BG BHO BN BR BS CA CEB CKB CS CY DA DE EL EN EO ES ET EU FA FI FR GA GL GN GOM GU HA
    HE HI HR HT HU HY ID IG IS IT JA JV KA KK KMR KO KY LA LB LMO LN LT LV MAI MG MI MK ML MN MR MS MT MY NB NE NL
    OC OM PA PAG PAM PL PRS PS PT QU RO RU SA SCN SK SL SQ SR ST SU SV SW TA TE TG TH TK TL TN TR TS TT UK UR UZ VI
    WO XH YI YUE ZH ZU
    """.split()  # noqa: SIM905  # far easier to read than a list of strings
)
_NORWEGIAN = ("no", "nn")
_TRADITIONAL = ("TW", "HK", "MO")
_AMERICAN = ("US", "PH", "PR", "GU", "VI", "AS", "MP", "UM", "MH", "LR")


def check(tag: str, more: Collection[str]) -> None:
    """Raise `Unsupported` for a language that DeepL does not speak; `more` are codes that it has learned since."""
    code = source_code(tag)
    if code not in LANGUAGES and code not in more:
        raise Unsupported(f"DeepL does not speak {tag}", remedy="if it does by now, name its code in `more_languages`")


def source_code(tag: str) -> str:
    """`EN` for `en-GB`: sources have no variants."""
    code = primary(tag)
    return "NB" if code in _NORWEGIAN else code.upper()


def target_code(tag: str) -> str:
    """`EN-GB` for `en-AU`. `EN` and `PT` alone are deprecated: they become what most people write, `EN-US` and `PT-BR`.

    Variants that DeepL does not tell apart become the language: `FR` for `fr-CA`.
    """
    language, script, region = _parts(tag)
    if language == "en":
        return "EN-US" if region is None or region in _AMERICAN else "EN-GB"
    if language == "pt":
        return "PT-BR" if region in (None, "BR") else "PT-PT"
    if language == "es":
        return "ES" if region in (None, "ES", "GQ", "EA", "IC") else "ES-419"
    if language == "zh":
        traditional = script == "Hant" or (script is None and region in _TRADITIONAL)
        return "ZH-HANT" if traditional else "ZH-HANS"
    return source_code(tag)


def tag_of(code: str) -> str:
    """`de` for `DE`, `pt-BR` for `PT-BR`, `zh-Hans` for `ZH-HANS`."""
    language, _, variant = code.lower().partition("-")
    if not variant:
        return language
    return f"{language}-{variant.title() if len(variant) == 4 else variant.upper()}"


def _parts(tag: str) -> tuple[str, str | None, str | None]:
    language, *rest = tag.split("-")
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), None)
    region = next((part for part in rest if len(part) == 2 or (len(part) == 3 and part.isdigit())), None)
    return language, script, region
