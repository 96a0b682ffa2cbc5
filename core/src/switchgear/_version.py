"""The version of the core, written here so that nobody has to look up metadata for it."""

__version__ = "0.1.0"
