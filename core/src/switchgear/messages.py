"""Errors put into words that may be logged: no content, no keys, one line."""

from switchgear.errors import PluginBug

MESSAGE_LIMIT = 300


def plugin_bug(error: Exception) -> PluginBug:
    """Name an exception that nobody foresaw by type and place: its text may hold content or keys."""
    # Walked by hand: `traceback.extract_tb` reads the source files, which takes longer than the whole hop.
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" at {last.tb_frame.f_code.co_filename.rpartition('/')[2]}:{last.tb_lineno}" if last else ""
    bug = PluginBug(f"unexpected {type(error).__name__}{place}", remedy="report it to the plugin's authors")
    bug.__cause__ = error
    return bug


def safe_message(error: BaseException) -> str:
    """An error's text on one line and not too long; unprintable characters could forge log lines."""
    # Foreign code: an error of a plugin's own may not even be able to say what it is.
    try:
        text = str(error) or type(error).__name__
    except Exception:
        text = type(error).__name__
    if len(text) <= MESSAGE_LIMIT and text.isprintable():
        return text
    text = "".join(c if c.isprintable() else " " for c in text[: MESSAGE_LIMIT + 1])
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"
