"""Apertium: rule-based translation between related languages, by a server (APy) of your own."""

from switchgear_apertium.provider import Apertium

__all__ = ["Apertium"]
