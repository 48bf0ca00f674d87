"""Answers that hurt: a client must survive each within its limits. They tell no story and have no cause to find."""

from __future__ import annotations

from diagnostics.practice.fault import Variation
from diagnostics.practice.http_server import Response

HUGE = 50_000_000

_ALL = (
    Variation("hostile-metadata-huge", "The capability statement is 50 MB long.", ehr={"metadata": "huge"}),
    Variation("hostile-metadata-deep", "The capability statement is nested 100 000 deep.", ehr={"metadata": "deep"}),
    Variation("hostile-metadata-endless", "The capability statement never ends.", ehr={"metadata": "endless"}),
    Variation("hostile-metadata-stalled", "The capability statement never begins.", ehr={"metadata": "stalled"}),
    Variation("hostile-metadata-torn", "The capability statement breaks off.", ehr={"metadata": "torn"}),
    Variation("hostile-metadata-garbage", "The answer is no HTTP at all.", ehr={"metadata": "garbage"}),
)

HOSTILITIES: dict[str, Variation] = {hostility.name: hostility for hostility in _ALL}


def mistreat(response: Response, how: str) -> Response:
    """Turn a good answer into a hostile one."""
    if how == "huge":
        response.body = response.body[:-1] + b" " * (HUGE - len(response.body)) + b"}"
    elif how == "deep":
        response.body = b'{"resourceType":"CapabilityStatement","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    elif how == "stalled":
        response.act = "stall"
    elif how != "ok":
        response.act = how
    return response
