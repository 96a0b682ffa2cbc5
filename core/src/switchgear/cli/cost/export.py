"""`switchgear cost export`: the ledger's records for other programs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from switchgear.cli import flags
from switchgear.cli.cost.chosen import Chosen, chosen
from switchgear.cli.faults import FAILED

if TYPE_CHECKING:
    from switchgear.cost_sink import Readable, Selection

_FORMATS = ("csv", "json", "parquet")


@click.command("export", short_help="The records, for other programs.")
@click.option("--format", type=click.Choice(_FORMATS), help="Default: by the file's suffix, else csv.")
@click.option(
    "-f",
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write. Default: standard output.",
)
@flags.as_json
@chosen
def command(chosen: Chosen, format: str | None, file: Path | None, json: bool) -> None:
    """Write each record with all its fields, oldest first. Parquet needs switchgear[parquet].

    --json is short for --format json: one array, with a record on each line.
    """
    from switchgear.cli.cost.ledgers import opened
    from switchgear.cli.cost.waiting import reading
    from switchgear.cli.faults import say_note

    form = "json" if json else format or _by_suffix(file)
    with opened(chosen) as ledger, _target(file) as target, reading(ledger.name) if file else nullcontext():
        count = _write(form, ledger.ledger, ledger.where, target)
    if file is not None:
        say_note(f"{file}: {count} records")


def _by_suffix(file: Path | None) -> str:
    suffix = file.suffix.lstrip(".").lower() if file else ""
    return suffix if suffix in _FORMATS else "csv"


def _write(form: str, ledger: "Readable", where: "Selection", target: IO[bytes]) -> int:
    import io

    from switchgear.reports.exports import write_csv, write_json

    if form == "parquet":
        from switchgear.reports.parquet import write_parquet

        return write_parquet(ledger.records(where), target)
    text = io.TextIOWrapper(target, "utf-8", newline="")
    try:
        records = ledger.records(where)
        count = write_csv(records, text) if form == "csv" else write_json(records, text)
        text.flush()
    finally:
        with suppress(BrokenPipeError):
            text.detach()
    return count


@contextmanager
def _target(file: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears when it is whole."""
    if file is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever reads it, such as `head`, has seen enough. Python would complain once more when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)
        return
    from switchgear.errors import UsageError

    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as target:
            yield target
        os.replace(part, file)  # noqa: PTH105
    except OSError as error:
        raise UsageError(f"--file: {file} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            part.unlink()
