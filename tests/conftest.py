"""What all tests share: a PostgreSQL of the suite's own, with the application's role that owns nothing."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[object]:
    """Run a private server in a folder of its own; nothing of the machine's data is near it."""
    from console.launch.postgres import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="nt-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # as root the server runs as another account, which must get in
        server = EmbeddedPostgres(Path(folder))
        with server.in_use():
            yield server


@pytest.fixture(scope="session")
def django_db_setup(postgres, django_db_blocker) -> None:
    """Migrate as the owner, then test as the application: what it may not do, no test can do either."""
    import psycopg
    from django.core.management import call_command
    from django.db import connections

    from console.launch.postgres import APPLICATION, OWNER
    from console.shared.addresses import database_settings

    connection = connections["default"]

    def become(role: str) -> None:
        connection.close()
        for key, value in database_settings(postgres.url(role)).items():
            connection.settings_dict[key] = value
            connections.databases["default"][key] = value

    with django_db_blocker.unblock():
        become(OWNER)
        call_command("migrate", verbosity=0, interactive=False)
        become(APPLICATION)
    # Tests that commit clean up by TRUNCATE, which the application itself never may.
    with psycopg.connect(postgres.url(OWNER), autocommit=True) as owner:
        owner.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {APPLICATION}")
    os.environ["DATABASE_URL"] = postgres.url(APPLICATION)
    os.environ["DATABASE_OWNER_URL"] = postgres.url(OWNER)
    os.environ["BROKER_URL"] = postgres.queue_url
