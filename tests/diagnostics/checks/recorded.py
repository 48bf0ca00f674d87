"""Keep which outcome each check reached in the table tests, so that the catalogue's rows can be counted.

`NOTETRACE_REACHED` names a file; at the end of the run it gets one JSON list of [check, status, cause or null].
"""

import json
import os
from pathlib import Path

from diagnostics.findings import Finding

REACHED: set[tuple[str, str, str | None]] = set()


def keep(finding: Finding) -> Finding:
    """Remember what was reached, and hand the finding on."""
    REACHED.add((finding.check, finding.status.value, finding.cause.id if finding.cause else None))
    return finding


def write() -> None:
    """Write what was reached, where somebody asked for it."""
    asked = os.environ.get("NOTETRACE_REACHED")
    if asked:
        Path(asked).write_text(json.dumps(sorted(REACHED, key=str)), encoding="utf-8")
