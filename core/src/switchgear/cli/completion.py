"""`switchgear completion`: the script that lets a shell complete commands, services and providers."""

import click
from click.shell_completion import get_completion_class

_HOW = {
    "bash": 'eval "$(switchgear completion bash)"      in ~/.bashrc',
    "zsh": 'eval "$(switchgear completion zsh)"       in ~/.zshrc',
    "fish": "switchgear completion fish | source       in ~/.config/fish/config.fish",
}


@click.command(
    "completion",
    short_help="Print the script for shell completion.",
    epilog="\b\n" + "\n".join(_HOW.values()),
)
@click.argument("shell", type=click.Choice(list(_HOW)))
def command(shell: str) -> None:
    """Print the completion script for SHELL; it belongs into the shell's start-up file."""
    program = click.get_current_context().find_root().command
    made_by = get_completion_class(shell)
    if made_by is None:
        raise click.UsageError(f"this version of click knows no completion for {shell}")
    click.echo(made_by(program, {}, "switchgear", "_SWITCHGEAR_COMPLETE").source())
