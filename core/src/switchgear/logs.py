"""The library's own log: silent until it is switched on, and never in the way of the application's sinks."""

from loguru import logger

logger.disable("switchgear")


def report_defect(what: str, error: Exception) -> None:
    """Say that foreign code broke where its failure must not stop anything: by type, since its text may hold content."""
    logger.error("{}: {}", what, type(error).__name__)


__all__ = ["logger", "report_defect"]
