"""For providers of engines: turn down what the engine cannot do, in the same words everywhere."""

from switchgear import Unsupported

from switchgear_translation.request import TranslationRequest

# What is only preferred may be left undone.
NO_MATTER = ("default", "prefer_more", "prefer_less")


def check_abilities(
    request: TranslationRequest,
    engine: str,
    *,
    detects: bool = False,
    formality: bool = False,
    glossary: bool = False,
    html: bool = False,
) -> None:
    """Raise `Unsupported` if the request asks for what is not among the abilities of the engine."""
    if request.source is None and not detects:
        raise Unsupported(f"{engine} does not detect languages", remedy="give the source language, such as source=en")
    if request.formality not in NO_MATTER and not formality:
        raise Unsupported(f"{engine} knows no formality", remedy='ask for "prefer_more" or "prefer_less"')
    if request.glossary is not None and not glossary:
        raise Unsupported(f"{engine} has no glossaries")
    if request.format == "html" and not html:
        raise Unsupported(f"{engine} does not read HTML")
