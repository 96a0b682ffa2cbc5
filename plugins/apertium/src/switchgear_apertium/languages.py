"""Apertium's language codes, from BCP 47 tags: ISO 639-3, with variants after an underscore (`cat_valencia`)."""

from collections.abc import Collection, Iterator

from switchgear import Unsupported
from switchgear_translation import primary, three_letters

Pair = tuple[str, str]

# The languages of released pairs (https://wiki.apertium.org/wiki/List_of_language_pairs), as Debian packages them.
LANGUAGES = frozenset(
    """
    afr arg ast bel bre bul cat dan eng epo eus fra frp glg hbs hin ind isl ita mkd msa nld nno nob nor oci pol por ron
    rus slv spa srd swe szl ukr urd zlm
    """.split()  # noqa: SIM905  # far easier to read than a list of strings
)
_OTHER_NAMES = {"nor": ("nob", "nno"), "msa": ("zlm",), "srp": ("hbs_SR", "hbs"), "hrv": ("hbs_HR", "hbs"),
                "bos": ("hbs_BS", "hbs")}  # fmt: skip


def codes(tag: str) -> Iterator[str]:
    """What a server may call the language, the most exact first: `por_BR`, `por` for `pt-BR`."""
    code = three_letters(tag)
    variants = tag.split("-")[1:]
    while variants:
        yield f"{code}_{'_'.join(variants)}"
        variants.pop()
    yield code
    yield from _OTHER_NAMES.get(code, ())


def pair_of(source: str, target: str, installed: Collection[Pair]) -> Pair:
    """The server's pair for two tags. Raises `Unsupported`; while it is not known what is installed, for what Apertium
    has no pair of anywhere.
    """
    wanted = [(one, other) for other in codes(target) for one in codes(source)]
    for pair in wanted:
        if pair in installed or (not installed and LANGUAGES.issuperset(pair)):
            return pair
    who = "this Apertium server" if installed else "Apertium"
    package = f"apertium-{three_letters(source)}-{three_letters(target)}"
    raise Unsupported(
        f"{who} does not translate {source} to {target}",
        remedy=f"install the pair where the server runs, if there is one: apt-get install {package}"
        if primary(source) != primary(target)
        else None,
    )
