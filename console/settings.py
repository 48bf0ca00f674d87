"""NoteTrace's settings: everything that differs between places comes from the environment, or from NAME_FILE."""

import secrets
from pathlib import Path

import environ
from csp.constants import NONE, SELF

from console.shared.addresses import broker_settings, database_settings, queue_beside

ROOT = Path(__file__).resolve().parents[1]
env = environ.FileAwareEnv()

DEMO = env.bool("NOTETRACE_DEMO", default=False)
DEBUG = env.bool("DEBUG", default=False)

# Without keys only commands that need no stored data work; console.E001 says so before anything is served.
SECRET_KEY = env("SECRET_KEY", default="") or secrets.token_urlsafe(48)
MASTER_KEYS = env("NOTETRACE_MASTER_KEY", default="").split()
KEYS_ARE_GIVEN = bool(env("SECRET_KEY", default="") and MASTER_KEYS)

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "guardian",
    "csp",
    "django_htmx",
    "console.shared",
    "console.accounts",
    "console.integrations",
    "console.notes",
    "console.diagnoses",
    "console.tickets",
    "console.resends",
    "console.knowledge",
    "console.monitoring",
    "console.worklist",
    "console.changes",
    "console.reports",
    "console.health",
    "console.search",
    "console.api",
    "console.demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "console.shared.idle.IdleSessionMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "console.accounts.time_zone.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Data ----------------------------------------------------------------------------------------------------------

DATABASE_URL = env("DATABASE_URL", default="")
if env("NOTETRACE_DATABASE_ROLE", default="") == "owner":
    DATABASE_URL = env("DATABASE_OWNER_URL", default="") or DATABASE_URL
DATABASES = {"default": database_settings(DATABASE_URL, pool_size=env.int("DATABASE_POOL_SIZE", default=0))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People --------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = True
ACCOUNT_ADAPTER = "console.accounts.adapter.NoSignUp"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# Mail ----------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env("MAIL_FROM", default="NoteTrace <notetrace@localhost>")
# The address people reach the console at, for links in mails: there is no request where a worker writes one.
CONSOLE_ADDRESS = env("CONSOLE_ADDRESS", default="http://127.0.0.1:8000/").rstrip("/") + "/"
MAIL_FOLDER = env("MAIL_FOLDER", default="")  # the demo's: mails become files that its mailbox page shows
if MAIL_FOLDER:
    EMAIL_BACKEND, EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", MAIL_FOLDER
else:
    globals().update(env.email("EMAIL_URL", default="smtp://localhost:25"))
EMAIL_TIMEOUT = 20

# Browsers ------------------------------------------------------------------------------------------------------

SERVED_OVER_TLS = env.bool("SERVED_OVER_TLS", default=not DEMO)
SECURE_SSL_REDIRECT = SERVED_OVER_TLS and not env.bool("TLS_ENDS_AT_PROXY", default=True)
if env.bool("TLS_ENDS_AT_PROXY", default=SERVED_OVER_TLS):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if SERVED_OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SERVED_OVER_TLS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SERVED_OVER_TLS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
IDLE_LIMIT_S = env.int("IDLE_LIMIT_S", default=15 * 60)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "img-src": [SELF, "data:"],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

STATIC_URL = "static/"
STATICFILES_DIRS = [ROOT / "static"]
# A deployment names STATIC_ROOT and runs collectstatic; without it files are served from where they are written.
STATIC_ROOT = env("STATIC_ROOT", default="") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
ATTACHMENT_LIMIT_BYTES = 10 * 1024 * 1024

# Words and times -----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Background work (see console/shared/work.py) --------------------------------------------------------------------

BROKER_URL = env("BROKER_URL", default="") or (queue_beside(DATABASE_URL) if DATABASE_URL else "")
CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS, _broker_extras = broker_settings(BROKER_URL)
globals().update(_broker_extras)
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TASK_SOFT_TIME_LIMIT = 75
CELERY_TASK_TIME_LIMIT = 90  # below the visibility timeout, or a long task would be delivered twice
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "console.diagnoses.tasks.heartbeat", "schedule": 10.0, "options": {"expires": 30}},
    "partitions": {"task": "console.notes.tasks.keep_partitions", "schedule": 3600.0},
    "correlation": {"task": "console.notes.tasks.correlate", "schedule": 60.0, "options": {"expires": 50}},
    "alerts": {"task": "console.monitoring.tasks.tick", "schedule": 60.0, "options": {"expires": 50}},
    "daily-look": {"task": "console.monitoring.tasks.look_daily", "schedule": 3600.0},
    "desk": {"task": "console.tickets.tasks.tidy", "schedule": 3600.0},
    "retention": {"task": "console.notes.tasks.keep_retention", "schedule": 3600.0},
}
# Tickets: how long failures alike are one incident, how many a source may open a minute.
DUPLICATE_WINDOW_H = env.float("DUPLICATE_WINDOW_H", default=24.0)
TICKETS_API_PER_MINUTE = env.int("TICKETS_API_PER_MINUTE", default=120)
# Mail-in: whose Authentication-Results are believed (the own mail server's name there), and a Maildir that is watched.
MAIL_IN_AUTHSERV = env("MAIL_IN_AUTHSERV", default="")
MAIL_IN_FOLDER = env("MAIL_IN_FOLDER", default="")
if MAIL_IN_FOLDER:
    CELERY_BEAT_SCHEDULE |= {
        "mail-in": {"task": "console.tickets.tasks.look_into_mail", "schedule": 30.0, "options": {"expires": 25}},
    }  # fmt: skip
WORK_LEASE_S = env.float("WORK_LEASE_S", default=45.0)
WORK_SWEEP_S = env.float("WORK_SWEEP_S", default=5.0)
WORK_RING_AGAIN_S = env.float("WORK_RING_AGAIN_S", default=10.0)
# Whether integrations that nobody diagnosed for a day are looked at, so that an ending certificate is noticed.
MONITORING_DAILY_LOOK = env.bool("MONITORING_DAILY_LOOK", default=True)
RUN_BUDGET_S = env.float("RUN_BUDGET_S", default=30.0)
CORRELATION_WORKERS = env.int("CORRELATION_WORKERS", default=1)  # processes that share a large `correlate`
LOG_RETENTION_DAYS = env.int("LOG_RETENTION_DAYS", default=400)  # 0 keeps log rows for ever; else 31 at least
LOG_UPLOAD_LIMIT_BYTES = env.int("LOG_UPLOAD_LIMIT_BYTES", default=2 * 1024**3)
LOG_GAPS_KNOWN_S = env.float("LOG_GAPS_KNOWN_S", default=60.0)  # how long a page may say what was known of silent logs
# A folder whose files are brought in by themselves; workers of the default queue must see it under this path.
LOG_DROP_FOLDER = env("LOG_DROP_FOLDER", default="")
LOG_DROP_STEADY_S = env.float("LOG_DROP_STEADY_S", default=15.0)  # a file that did not grow for so long is whole
LOG_DROP_KEEP_DAYS = env.int("LOG_DROP_KEEP_DAYS", default=7)  # how long files that were taken lie there
if LOG_DROP_FOLDER:
    CELERY_BEAT_SCHEDULE |= {
        "drop-folder": {
            "task": "console.monitoring.tasks.look_into_drop_folder", "schedule": 30.0, "options": {"expires": 25},
        },
        "drop-folder-kept": {"task": "console.monitoring.tasks.forget_taken", "schedule": 3600.0},
    }  # fmt: skip
# What the operator lets probes reach, as `network:ports` words; deployment configuration only, never a page.
PROBE_ALLOW = env.list("PROBE_ALLOW", default=["127.0.0.0/8:*"] if DEMO else [])

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {"httpx": {"level": "WARNING"}, "django.server": {"level": "WARNING"}, "pgmq": {"level": "WARNING"}},
}
