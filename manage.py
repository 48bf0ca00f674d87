#!/usr/bin/env python3
"""NoteTrace's commands. `demo` starts everything, `test` checks everything, `help` lists the rest."""

import os
import sys

from console.launch.bootstrap import BootstrapError, ensure_environment


def main(argv: list[str]) -> int:
    """Run one command in an environment that has what the command needs."""
    try:
        ensure_environment(argv)
    except BootstrapError as problem:
        print(problem, file=sys.stderr)
        return 1
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    if argv[1:2] == ["demo"]:
        from console.launch.demo import main as demo

        return demo(argv[2:])
    if argv[1:2] == ["test"]:
        from console.launch.suite import main as suite

        return suite(argv[2:])
    from django.core.management import execute_from_command_line

    from console.launch.database import database_for
    from console.launch.postgres import EmbeddedPostgresError

    try:
        with database_for(argv):
            execute_from_command_line(argv)
    except EmbeddedPostgresError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
