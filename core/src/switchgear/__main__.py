"""The command `switchgear`, also as `python -m switchgear`."""

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    # Answered before anything that takes longer to import than this takes to say, and before anything can be broken.
    if sys.argv[1:2] == ["--version"]:
        from switchgear._version import __version__

        sys.stdout.write(f"switchgear {__version__}\n")
        return
    try:
        from switchgear.cli.ending import leave
        from switchgear.cli.program import program

        leave(program.main)
    except KeyboardInterrupt:  # before or after the command itself, which handles its own
        sys.exit(130)


if __name__ == "__main__":
    main()
