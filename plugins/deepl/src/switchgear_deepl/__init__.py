"""DeepL: translation in DeepL's own data centres, billed by the character."""

from switchgear_deepl.provider import DeepL

__all__ = ["DeepL"]
