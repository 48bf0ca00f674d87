"""The peer: the failure mode of every note of two NDJSON files, in one DuckDB program of its own.

    python duckdb_answer.py FOLDER [TRACES]

Needs the package duckdb and nothing of this project, so any environment that has it can run the file. Prints
{"seconds", "peak_mb", "notes"}; writes the answers as NDJSON where TRACES is named.
"""

import json
import resource
import sys
import time
from pathlib import Path

import duckdb


def main(folder: Path, traces: Path | None) -> None:
    """Answer for every note of the folder's two files."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("{folder}", str(folder))
    began = time.perf_counter()
    connection = duckdb.connect()
    connection.execute(script)
    count = connection.execute("SELECT count(*) FROM told").fetchone()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if traces:
        connection.execute(f"COPY (SELECT *, 0.9 AS confidence FROM told) TO '{traces}' (FORMAT json)")
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "notes": count[0] if count else 0}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
