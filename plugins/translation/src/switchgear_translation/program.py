"""`switchgear-translate`: whole files through a service, with progress, and going on where it was interrupted."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import click
from switchgear import InvalidInput, ProviderResult, Switchgear, SwitchgearError, UsageError
from switchgear.cli.faults import FAILED, INTERRUPTED, explained, say_error, say_note

from switchgear_translation.capability import OPTIONS, TRANSLATION
from switchgear_translation.documents import Translated, translate
from switchgear_translation.files import READERS, Document, PlainText, read
from switchgear_translation.files.document import decoded
from switchgear_translation.journal import Journal
from switchgear_translation.output import TranslationOutput
from switchgear_translation.progress import progress
from switchgear_translation.request import TranslationRequest

STDIN = "-"


@attrs.frozen(kw_only=True)
class Settings:
    """What the command line asks for, beside the files. `request` holds options of every request."""

    service: str
    request: dict[str, str]
    out: Path | None
    memory: Path | None
    force: bool
    concurrency: int


@attrs.frozen
class Job:
    """One file: where it is, and where its translation goes (None: standard output)."""

    source: str
    out: Path | None

    @property
    def journal(self) -> Path:
        assert self.out is not None
        return self.out.with_name(self.out.name + ".journal")

    @property
    def is_done(self) -> bool:
        """Whether the translation is there, whole, and of the file as it is now."""
        source = Path(self.source)
        if self.out is None or not (source.is_file() and self.out.exists()) or self.journal.exists():
            return False
        return self.out.stat().st_mtime >= source.stat().st_mtime

    def document(self) -> Document:
        if self.source == STDIN:
            return PlainText(decoded(sys.stdin.buffer.read(), "standard input"), "standard input")
        try:
            content = Path(self.source).read_bytes()
        except OSError as error:
            raise InvalidInput(f"{self.source}: cannot be read ({error.strerror}); check the path") from error
        return read(content, self.source)

    def write(self, content: str) -> None:
        if self.out is None:
            sys.stdout.buffer.write(content.encode())
            sys.stdout.buffer.flush()
            return
        # Beside it first: whoever looks must never find half a file.
        part = self.out.with_name(self.out.name + ".part")
        part.write_bytes(content.encode())
        part.replace(self.out)


@click.command()
@click.argument("service")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--to", "target", required=True, metavar="LANGUAGE", help="The language to translate into, such as de.")
@click.option("--from", "source", metavar="LANGUAGE", help="The language of the files. Default: detected.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where to write: a folder, or a file for a single FILE. Default: beside it, letter.de.txt for letter.txt.",
)
@click.option(
    "-o", "--option", "others", multiple=True, metavar="KEY=VALUE", help="Of every request, such as formality=more."
)
@click.option("--config", type=click.Path(), metavar="FILE", help="The configuration, as of `switchgear run`.")
@click.option("--env", "environment", metavar="NAME", help="The environment to use.")
@click.option(
    "--memory",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep all translations here, and never pay for the same text again.",
)
@click.option("--force", is_flag=True, help="Translate anew what is there already.")
@click.option("--concurrency", type=click.IntRange(min=1), default=4, show_default=True, metavar="N")
def command(
    service: str,
    files: tuple[str, ...],
    target: str,
    source: str | None,
    others: tuple[str, ...],
    config: str | None,
    environment: str | None,
    **options: Any,
) -> None:
    """Translate each FILE (.txt, .json, .po, or - for standard input) with SERVICE.

    Of a JSON file, the strings that are values are translated; of a gettext catalog, what has no translation yet. After
    an interruption, the same command goes on: what is done lies in a .journal beside the output until the file is
    complete. The status is 0 if every text was translated, 1 if one was not, 2 if nothing was tried.
    """
    request = {"target": target, **({"source": source} if source else {}), **dict(_pair(each) for each in others)}
    settings = Settings(service=service, request=request, **options)
    jobs = jobs_for(files, settings)
    TRANSLATION.request("checked before any work", **request)
    board = Switchgear.open(config, environment=environment)
    if service not in tuple(board):
        raise UsageError(f"there is no service {service!r}; configured: {', '.join(board) or 'none'}")
    if not asyncio.run(_all(board, jobs, settings)):
        sys.exit(FAILED)


def jobs_for(files: Sequence[str], settings: Settings) -> list[Job]:
    """What goes where. Raises `UsageError` for files that cannot be translated, or would overwrite each other."""
    out = settings.out
    is_folder = out is not None and (out.is_dir() or len(files) > 1)
    if out is not None and is_folder:
        out.mkdir(parents=True, exist_ok=True)
    jobs = [Job(each, _out_for(each, out, is_folder, settings.request["target"])) for each in files]
    for job in jobs:
        if job.source != STDIN and Path(job.source).suffix.lower() not in READERS:
            raise click.UsageError(f"{job.source}: files to translate end in {', '.join(READERS)}")
        if job.out is not None and job.out.exists() and Path(job.source).exists() and job.out.samefile(job.source):
            raise click.UsageError(f"{job.source} would be overwritten by its translation; give another --out")
    outs = [job.out for job in jobs if job.out is not None]
    if len(set(outs)) < len(outs):
        raise click.UsageError("two files have the same name, and so would their translations")
    return jobs


def _out_for(source: str, out: Path | None, is_folder: bool, target: str) -> Path | None:
    path = Path(source)
    if source == STDIN:
        return None if out is None or is_folder else out
    if out is None:
        return path.with_name(f"{path.stem}.{target}{path.suffix}")
    return out / path.name if is_folder else out


async def _all(board: Switchgear, jobs: Sequence[Job], settings: Settings) -> bool:
    """Whether every text of every file is translated."""
    well = True
    async with board:
        for job in jobs:
            if job.is_done and not settings.force:
                say_note(f"{job.out} is there already; --force translates it anew")
                continue
            try:
                well &= await _one(board, job, settings)
            except SwitchgearError as error:
                say_error(f"{job.source}: {error}" + (f". {error.remedy}" if error.remedy else ""))
                well = False
    return well


async def _one(board: Switchgear, job: Job, settings: Settings) -> bool:
    document = job.document()
    journal = _journal(job, settings)
    try:
        known = await _translations(board, job, document, journal, settings) if document.texts else {}
        job.write(document.translated(known, settings.request["target"]))
        is_whole = len(known) == len(document.texts)
    except asyncio.CancelledError:
        say_note(f"interrupted; the same command goes on with {job.source} where it was")
        raise
    finally:
        if journal is not None:
            journal.close()
    if journal is not None and is_whole and settings.memory is None:
        journal.close(remove=True)
    return is_whole


def _journal(job: Job, settings: Settings) -> Journal | None:
    if settings.memory is not None:
        return Journal(settings.memory)
    return None if job.out is None else Journal(job.journal)


async def _translations(
    board: Switchgear, job: Job, document: Document, journal: Journal | None, settings: Settings
) -> dict[str, str]:
    """What there is of translations in the end, by text; failures are told."""
    whole = TranslationRequest(document.texts, **settings.request)  # type: ignore[arg-type]  # checked by the class
    known = {} if journal is None else journal.known(whole)
    todo = [text for text in document.texts if text not in known]
    if not todo:
        return known
    with progress(job.source, len(document.texts), len(known)) as advance:

        def keep(items: Sequence[Translated]) -> None:
            for item in items:
                known[todo[item.place]] = item.text
                if journal is not None:
                    journal.add(whole, {todo[item.place]: item.text}, item.provider)
            advance(len(items))

        request = attrs.evolve(whole, texts=todo)
        service = board.service(settings.service, TRANSLATION)
        result = await translate(service, request, concurrency=settings.concurrency, on_items=keep)
    _keep_refused(result, todo, known, whole, journal)
    _tell(job, result, len(todo), board.currency)
    return known


def _keep_refused(
    result: ProviderResult[TranslationOutput],
    todo: Sequence[str],
    known: dict[str, str],
    whole: TranslationRequest,
    journal: Journal | None,
) -> None:
    """The best of what validators refused, where the service takes that: nobody will do better next time."""
    for place in result.metadata.get("refused", {}):
        text = result.output.texts[place]
        if text is not None:
            known[todo[place]] = text
            if journal is not None:
                journal.add(whole, {todo[place]: text}, result.output.providers[place])


def _tell(job: Job, result: ProviderResult[TranslationOutput], asked: int, currency: str) -> None:
    failed = result.metadata.get("failed", {})
    by = ", ".join(
        f"{result.output.providers.count(name)} by {name}" for name in dict.fromkeys(result.output.providers) if name
    )
    used = f"{int((result.usage or {}).get('characters', 0)):,} characters"
    cost = "cost unknown" if result.cost is None else f"{result.cost.normalize():f} {currency}"
    say_note(f"{job.source}: {asked - len(failed)} of {asked} texts translated ({by}); {used}, {cost}")
    if refused := result.metadata.get("refused"):
        say_note(f"{job.source}: {len(refused)} of them are the best of what was refused: {_reasons(refused)}")
    if failed:
        say_error(f"{job.source}: {len(failed)} texts are not translated: {_reasons(failed)}")


def _reasons(reasons: dict[int, str]) -> str:
    return "; ".join(list(dict.fromkeys(reasons.values()))[:3])


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or key not in OPTIONS:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE with one of {', '.join(OPTIONS)}", param_hint="--option")
    return key, value


def main() -> None:
    """Run it and exit with its status."""
    try:
        with explained():
            command.main(standalone_mode=False)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
