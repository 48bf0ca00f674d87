"""The console's settings for tests: keys of this run only, and no database or broker of the machine's owner."""

import os
import secrets

for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "NOTETRACE_DATABASE_ROLE", "DATABASE_POOL_SIZE"):
    os.environ.pop(name, None)
os.environ["NOTETRACE_DEMO"] = "1"
os.environ["SECRET_KEY"] = secrets.token_urlsafe(40)
os.environ["NOTETRACE_MASTER_KEY"] = f"test1:{secrets.token_hex(32)}"
os.environ["WORK_LEASE_S"] = os.environ["WORK_RING_AGAIN_S"] = "2"
os.environ["WORK_SWEEP_S"] = "0.5"
os.environ["LOG_GAPS_KNOWN_S"] = "0"

from console.settings import *  # noqa: E402, F403 - the very settings, under the environment set above

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the slowness of a real one proves nothing here
