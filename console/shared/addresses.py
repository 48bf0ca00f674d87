"""Turn DATABASE_URL and BROKER_URL into settings, with what was measured to work for each kind of server."""

from typing import Any
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict, make_conninfo


def database_settings(url: str, *, pool_size: int = 0) -> dict[str, Any]:
    """Read a libpq address into Django's words; parameters Django has no word for go to the driver as they are."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None} if url else {}
    settings: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "notetrace"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": {"application_name": "notetrace", **parts},
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 0,
    }
    if pool_size:
        settings["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pool_size}
    else:
        settings["CONN_MAX_AGE"] = 60
        settings["CONN_HEALTH_CHECKS"] = True
    return settings


def queue_beside(url: str) -> str:
    """Give the address of the `queue` database on the same server: a queue of its own can be dropped and made anew."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    return f"postgresql:///queue?{urlencode({key: value for key, value in parts.items() if key != 'dbname'})}"


def broker_settings(url: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Give broker URL, transport options and further settings.

    A PostgreSQL address means PGMQ in that database, without any: memory, which only tests without a worker use.
    """
    scheme = url.partition(":")[0]
    if scheme in {"postgresql", "postgres"}:
        options = {
            # PGMQ's client reads host, port, name and login from the keyword form only; TLS goes by PGSSLMODE.
            "conn_string": make_conninfo("", **conninfo_to_dict(url)),
            "visibility_timeout": 120,
            "init_extension": False,  # the default tries CREATE EXTENSION, which the embedded server does not have
            "polling_interval": 0.1,
            "wait_time_seconds": 0,
            "use_notify": True,
            "pool_size": 4,
            "pool_timeout": 3,  # a page that rings must not wait half a minute for a queue that is away
        }
        return "pgmq://queue", options, {}  # a name for log lines; the options say where it is
    if scheme in {"amqp", "amqps"}:
        quorum = {"CELERY_TASK_DEFAULT_QUEUE_TYPE": "quorum", "CELERY_WORKER_DETECT_QUORUM_QUEUES": True}
        return url, {"confirm_publish": True}, quorum
    if scheme in {"redis", "rediss"}:
        options = {"visibility_timeout": 120, "unacked_restore_interval": 5, "unacked_restore_throttle": 1}
        return url, options, {}
    if not url:
        return "memory://tests", {}, {}
    raise ValueError(f"BROKER_URL: {scheme}:// is not known; use postgresql://, amqps:// or rediss://.")
