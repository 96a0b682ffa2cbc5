"""What went wrong, in words on standard error and as an exit status; never a traceback unless it is asked for."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

FAILED = 1
REFUSED = 2  # usage and configuration: nothing has been done
INTERRUPTED = 130
DEBUG_VARIABLE = "SWITCHGEAR_DEBUG"


@contextmanager
def explained() -> Iterator[None]:
    """Turn every exception into `SystemExit` with the right status, explained."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # the help itself
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.message = printable(error.message)  # type: ignore[misc]  # final: nobody else will read it
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(INTERRUPTED)
    # The outermost edge: what nobody foresaw is cut to a line, and the whole of it is one variable away.
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            traceback.print_exc()
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    from switchgear.errors import ConfigError, SwitchgearError, UsageError

    if isinstance(error, ConfigError):
        for problem in error.problems:
            say_error(str(problem))
        return REFUSED
    if isinstance(error, SwitchgearError):
        say_error(with_remedy(str(error), error.remedy))
        return REFUSED if isinstance(error, UsageError) else FAILED
    say_error(f"unexpected {type(error).__name__}{_place(error)}; set {DEBUG_VARIABLE}=1 for the traceback")
    return FAILED


def say_error(text: str) -> None:
    click.echo(f"{click.style('error', fg='red')}: {printable(text)}", err=True, color=wanted_colour())


def say_note(text: str) -> None:
    click.echo(f"{click.style('note', fg='yellow')}: {printable(text)}", err=True, color=wanted_colour())


def printable(text: str) -> str:
    """On one line and without control codes: names of files, and whoever quotes them, may hold anything."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def with_remedy(message: str, remedy: str | None) -> str:
    """Both in one text, the remedy once."""
    return f"{message.removesuffix('.')}. {remedy}" if remedy and remedy not in message else message


def wanted_colour() -> bool | None:
    """None leaves it to click, which drops colours where there is no terminal."""
    return False if os.environ.get("NO_COLOR") else None


def _place(error: Exception) -> str:
    """By place and not by its text, which may hold content or keys."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
