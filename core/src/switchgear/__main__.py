"""The command `switchgear`, also as `python -m switchgear`."""

import os
import sys


def run() -> None:
    """Run the command line; it leaves with its status."""
    from switchgear.cli.program import program

    program.main()


def main() -> None:
    """Answer, or run the command line, and exit with its status."""
    # Answered before anything that takes longer to import than this takes to say, and before anything can be broken.
    if sys.argv[1:2] == ["--version"]:
        from switchgear._version import __version__

        try:
            sys.stdout.write(f"switchgear {__version__}\n")
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has left; without flushing again, which would say so
            os._exit(1)
        return
    try:
        from switchgear.cli.ending import leave

        leave(run)
    except KeyboardInterrupt:  # before or after the command itself, which handles its own
        sys.exit(130)


if __name__ == "__main__":
    main()
