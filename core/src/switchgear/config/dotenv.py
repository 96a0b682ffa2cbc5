"""Reads a `.env` file: `KEY=VALUE` lines for local work."""

import re

_LINE = re.compile(
    r"""\s* (?:export\s+)? (?P<name>[A-Za-z_][A-Za-z0-9_]*) \s*=\s*
        (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<bare>[^\s'"\#][^\r\n]*?)? )
        \s* (?:(?<=\s)\#.*)? """,
    re.VERBOSE | re.ASCII,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_dotenv(text: str) -> tuple[dict[str, str], list[int]]:
    """The variables, and the numbers of the lines that are none (a line may hold a secret: do not show it).

    Values stand as they are, in 'single quotes', or in "double quotes" with backslash escapes. A comment starts with #
    at the line's start or after a space. Values span one line and are not expanded.
    """
    variables: dict[str, str] = {}
    wrong = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if match := _LINE.fullmatch(line):
            variables[match["name"]] = _value(match)
        else:
            wrong.append(number)
    return variables, wrong


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match["double"])
    return match["single"] or match["bare"] or ""
