"""`switchgear explain`: whom a call would ask, without asking anybody."""

from typing import TYPE_CHECKING, Any

import click

from switchgear.cli import flags, names

if TYPE_CHECKING:
    from switchgear.composition import Manager
    from switchgear.errors import InvalidInput
    from switchgear.plan import Plan, PlanRow


@click.command("explain", short_help="Show whom a call would ask, and why.")
@click.argument("service", shell_complete=names.complete_service)
@click.argument("input", shell_complete=names.complete_input)
@flags.request_options
@flags.as_json
@flags.place
def command(service: str, input: str, request: dict[str, str], json: bool, place: flags.Place) -> None:
    """Show whom SERVICE would ask for INPUT, in order, and who would be passed over. Nobody is asked.

    The figures are those of a process that has just started: averages that a running application has are not known.
    """
    from switchgear.app import Switchgear
    from switchgear.cli.boards import find_service, read_document
    from switchgear.cli.calls import make_request
    from switchgear.cli.inputs import expand
    from switchgear.cli.lines import print_json

    board = Switchgear(read_document(place))
    manager, capability = find_service(board, service)
    inputs = expand([input], capability.name, capability.suffixes)
    if len(inputs) != 1:
        raise click.UsageError(f"explain takes one input; {input} stands for {len(inputs)}")
    made = make_request(capability, inputs[0], request)
    if refused := _refusal(manager, made):
        raise refused
    plan = manager.explain(made)
    if board.settings.budgets:
        board.flush_costs()  # looks up what was spent from the accounts that the first look has named
        plan = manager.explain(made)
        board.close()
    if json:
        print_json({**plan.to_json(), "currency": board.currency})
    else:
        _print(plan, board.currency)


def _refusal(manager: "Manager", request: Any) -> "InvalidInput | None":
    """Why the input is wrong for everybody, if it is: then there is nothing to explain."""
    from switchgear.errors import InvalidInput

    refusal = None
    for provider in manager.providers.values():
        # Foreign code: whatever else it raises is a reason to pass that provider over, which the plan shows.
        try:
            provider.validate_input(request)
        except InvalidInput as error:
            refusal = error
        except Exception:
            return None
        else:
            return None
    return refusal


def _print(plan: "Plan", currency: str) -> None:
    from switchgear.cli.tables import print_table

    click.echo(f"{plan.service}: ordered by {plan.strategy}")
    columns = ("rank", "provider", "status", "cost", "quality", "priority", "passed over because")
    print_table(columns, [_row(row, currency) for row in plan.rows])


def _row(row: "PlanRow", currency: str) -> tuple[str, ...]:
    from switchgear.cli.provenance import money

    return (
        "-" if row.rank is None else str(row.rank),
        row.provider,
        row.status.value,
        money(row.predicted_cost, currency),
        f"{row.quality_score:g}",
        str(row.priority),
        row.reason,
    )
