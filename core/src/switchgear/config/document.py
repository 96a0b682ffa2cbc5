"""Tables read and merged, with the templates still in them; `resolve` fills in, checks and freezes."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from switchgear.config.checks import check_services
from switchgear.config.environments import locate, merge, overlays
from switchgear.config.interpolate import Interpolation, IsActive, always_active, interpolate
from switchgear.config.references import References, SecretStores
from switchgear.config.settings import Settings
from switchgear.config.structure import structure
from switchgear.config.wording import places
from switchgear.errors import ConfigError, Problem
from switchgear.secret import Secret


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Document:
    """A configuration before its references are followed.

    `source`: the file as it is, `environments` included; `tables`: the overlay of `environment`, and the caller's
    overrides, merged in; `environ`: the real environment over that of `.env`; `folder`: where relative files start.
    """

    source: Mapping[str, Any] = attrs.field(repr=False)
    tables: Mapping[str, Any] = attrs.field(repr=False)
    environ: Mapping[str, str] = attrs.field(repr=False)
    folder: Path
    path: Path | None = None
    environment: str | None = None
    problems: tuple[Problem, ...] = ()

    def where(self, path: str) -> str:
        """The place in the file of a path in the merged tables: it may be one of the environment's overlay."""
        return locate(path, self.source, self.environment)

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Problems of the merged tables, each with its place in the file."""
        return [attrs.evolve(problem, path=self.where(problem.path)) for problem in problems]

    def in_file_order(self, problems: Iterable[Problem]) -> list[Problem]:
        order = {path: index for index, path in enumerate(places(self.source))}

        def position(problem: Problem) -> int:
            path = problem.path
            while path and path not in order:
                path = path.rpartition(".")[0]
            return order[path]

        return sorted(problems, key=position)

    def resolve(
        self,
        *,
        secret_stores: SecretStores | None = None,
        is_active: IsActive = always_active,
        allow_unset: bool = False,
    ) -> "Loaded":
        """`fill` and `settle` in one. Raises `ConfigError` with everything that is wrong, in file order."""
        return self.settle(self.fill(secret_stores=secret_stores, is_active=is_active, allow_unset=allow_unset))

    def fill(
        self,
        *,
        secret_stores: SecretStores | None = None,
        is_active: IsActive = always_active,
        allow_unset: bool = False,
    ) -> Interpolation:
        """The merged tables with their references followed.

        `is_active` can switch off more than `enabled = false` does. `allow_unset` checks without secrets: no file or
        store is asked, and what is unset passes as any single value; such settings are not fit to run.
        """
        references = References(
            environ=self.environ, directory=self.folder, stores=secret_stores or {}, offline=allow_unset
        )
        return interpolate(self.tables, references, is_active=is_active)

    def settle(self, filled: Interpolation) -> "Loaded":
        """What was filled in as settings; the other environments are checked too. Raises `ConfigError`."""
        settings, problems = _structured(filled)
        problems = [*self.problems, *self.located(problems), *self._problems_elsewhere()]
        if settings is None or problems:
            raise ConfigError(self.in_file_order(problems))
        return Loaded(settings=settings, document=self, inactive=filled.inactive, secrets=filled.secrets)

    def _problems_elsewhere(self) -> Iterator[Problem]:
        """What is wrong in the overlays of the other environments, as far as that can be told without their secrets."""
        references = References(environ={}, directory=self.folder, offline=True)
        for name, overlay in overlays(self.source).items():
            if name == self.environment:
                continue
            _, problems = _structured(interpolate(merge(self.source, overlay), references))
            for problem in problems:
                place = locate(problem.path, self.source, name)
                if place != problem.path:
                    yield attrs.evolve(problem, path=place)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Loaded:
    """Checked settings and where they came from.

    `inactive`: the paths of the tables that are switched off, whose templates were left alone; `secrets`: what came
    out of files and stores, to be kept out of logs.
    """

    settings: Settings
    document: Document
    inactive: frozenset[str] = frozenset()
    secrets: tuple[Secret, ...] = ()


def _structured(filled: Interpolation) -> tuple[Settings | None, list[Problem]]:
    """Settings, if there is nothing wrong with the tables' shape, and all that is wrong with them."""
    settings: Settings | None = None
    misshapen: tuple[Problem, ...] = ()
    try:
        settings = structure(filled.tables, Settings)
    except ConfigError as error:
        misshapen = error.problems
    # Where no text fits, it does not matter what a reference leads to.
    places = {problem.path for problem in misshapen}
    unresolved = [problem for problem in filled.problems if problem.path not in places]
    return settings, [*unresolved, *check_services(filled.tables, filled.inactive), *misshapen]
