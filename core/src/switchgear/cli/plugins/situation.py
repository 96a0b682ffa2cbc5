"""The installed plugins beside the configuration, which may be missing or broken."""

from typing import TYPE_CHECKING

import attrs

from switchgear.cli.boards import read_document
from switchgear.cli.flags import Place
from switchgear.cli.uses import Use, uses
from switchgear.config.environments import NAMED
from switchgear.errors import ConfigError
from switchgear.installation import disabled_distributions
from switchgear.plugins import Catalog

if TYPE_CHECKING:
    from pathlib import Path

    from switchgear.plugins import Offer


@attrs.frozen
class Situation:
    """What is on offer and what of it a configuration names. `file` is None without one, `trouble` says why."""

    catalog: Catalog
    uses: tuple[Use, ...] = ()
    file: "Path | None" = None
    trouble: str = ""

    def uses_of(self, offer: "Offer") -> list[Use]:
        return [use for use in self.uses if use.means(offer)]


def look(place: Place) -> Situation:
    """Imports no plugin, checks nothing but the environment on the command line, and asks for no secret."""
    try:
        document = read_document(place)
    except ConfigError as error:
        return Situation(Catalog(), trouble=" ".join(map(str, error.problems)))
    if undeclared := [problem for problem in document.problems if problem.path == NAMED]:
        raise ConfigError(undeclared)
    catalog = Catalog(disabled=disabled_distributions(document))
    return Situation(catalog, uses(document, catalog), document.path)
