"""LibreTranslate: translation by a server of your own, or by libretranslate.com."""

from switchgear_libretranslate.provider import LibreTranslate

__all__ = ["LibreTranslate"]
