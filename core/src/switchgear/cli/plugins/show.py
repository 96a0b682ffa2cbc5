"""`switchgear plugins show`: what one plugin is, where it comes from, and what it can be told."""

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from switchgear.cli import flags, names

if TYPE_CHECKING:
    import attrs

    from switchgear.cli.plugins.situation import Situation
    from switchgear.plugins import Offer


@click.command("show", short_help="Show a plugin's options and where it comes from.")
@click.argument("name", shell_complete=names.complete_plugin)
@flags.as_json
@flags.place
def command(name: str, json: bool, place: flags.Place) -> None:
    """Show what is called NAME (ocr.tesseract, or tesseract), and where the configuration uses it. It is imported."""
    from switchgear.cli.faults import FAILED
    from switchgear.cli.lines import print_json
    from switchgear.cli.plugins.naming import find
    from switchgear.cli.plugins.situation import look

    situation = look(place)
    shown = [_described(offer, situation) for offer in find(situation.catalog, name)]
    if json:
        print_json(shown)
    else:
        for each in shown:
            _print(each)
    if any(each["problem"] for each in shown):
        click.get_current_context().exit(FAILED)


def _described(offer: "Offer", situation: "Situation") -> dict[str, Any]:
    from switchgear.cli.faults import with_remedy
    from switchgear.errors import ConfigError
    from switchgear.options import option_fields
    from switchgear.plugins import PluginProblem

    found: dict[str, Any] = {
        "kind": offer.kind,
        "name": offer.name,
        "distribution": offer.distribution,
        "version": offer.version,
        "target": offer.target,
        "used_by": [use.path for use in situation.uses_of(offer) if not use.is_off],
        "file": None,
        "about": None,
        "options": [],
        "problem": None,
    }
    try:
        implementation = situation.catalog.load(offer)
        target = implementation if inspect.isclass(implementation) else type(implementation)
        found["file"] = _file(target)
        found["about"] = inspect.getdoc(target)
        if inspect.isclass(implementation):
            found["options"] = list(_options(implementation, option_fields(implementation, offer.name)))
    except ConfigError as error:
        found["problem"] = "; ".join(map(str, error.problems))
    except PluginProblem as error:
        found["problem"] = with_remedy(str(error), error.remedy)
    return found


def _options(implementation: type[Any], fields: "list[attrs.Attribute[Any]]") -> Iterator[dict[str, Any]]:
    from switchgear.config.structure import key
    from switchgear.options import types_of

    types = types_of(implementation)
    for field in fields:
        yield {
            "name": key(field),
            "type": _spelled(types.get(field.name, field.type)),
            "default": _default(field),
            "help": field.metadata.get("help", ""),
        }


def _default(field: "attrs.Attribute[Any]") -> str | None:
    """As text, None where the option is required."""
    import attrs

    if field.default is attrs.NOTHING:
        return None
    factory = getattr(field.default, "factory", None)
    return f"{factory.__name__}()" if factory else repr(field.default)


def _spelled(wanted: Any) -> str:
    return wanted.__name__ if inspect.isclass(wanted) else str(wanted).replace("typing.", "")


def _file(target: type[Any]) -> str | None:
    try:
        return inspect.getsourcefile(target)
    except TypeError:  # built-in, or made in C
        return None


def _print(shown: dict[str, Any]) -> None:
    from switchgear.cli.faults import say_error
    from switchgear.cli.tables import print_table

    click.echo(f"{shown['kind']}: {shown['name']}")
    click.echo(f"from {shown['distribution']} {shown['version']}, {shown['target']}")
    for path in shown["used_by"]:
        click.echo(f"used by {path}")
    if shown["file"]:
        click.echo(f"in {shown['file']}")
    if shown["about"]:
        click.echo(f"\n{shown['about']}")
    if shown["problem"]:
        say_error(shown["problem"])
        return
    click.echo("")
    if not shown["options"]:
        click.echo("It takes no options.")
        return
    rows = [
        (each["name"], each["type"], "required" if each["default"] is None else each["default"], each["help"])
        for each in shown["options"]
    ]
    print_table(("option", "type", "default", ""), rows)
