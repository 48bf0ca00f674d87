"""Judge a Bundle's own rules (FHIR R4, Bundle: bdl-1 to bdl-12) for transactions, batches, documents and messages."""

from collections.abc import Iterator, Mapping
from typing import Any

Fault = tuple[str, str, str]
_REQUESTED = ("transaction", "batch", "history")
_ANSWERED = ("transaction-response", "batch-response", "history")
_FIRST = {"document": ("Composition", "bdl-11"), "message": ("MessageHeader", "bdl-12")}


def judge(bundle: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the faults of a Bundle, its entries included, not what the entries' resources are inside."""
    kind = bundle.get("type")
    listed = bundle.get("entry")
    entries = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    if "total" in bundle and kind not in ("searchset", "history"):
        yield ".total", "bdl-1", "may stand only on a search result or a history (bdl-1)"
    yield from _first(kind, entries)
    if kind == "document":
        yield from _document(bundle)
    seen: dict[str, int] = {}
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, Mapping):
            yield from _entry(kind, entry, f".entry[{index}]", seen, index)


def _first(kind: object, entries: list[Mapping[str, Any]]) -> Iterator[Fault]:
    if not isinstance(kind, str) or kind not in _FIRST:
        return
    wanted, rule = _FIRST[kind]
    first = entries[0].get("resource") if entries else None
    if not isinstance(first, Mapping) or first.get("resourceType") != wanted:
        says = f"must be a {wanted}, the first entry of a {kind} ({rule})"
        yield ".entry[0].resource", rule, says


def _document(bundle: Mapping[str, Any]) -> Iterator[Fault]:
    identifier = bundle.get("identifier")
    held = identifier if isinstance(identifier, Mapping) else {}
    if not (held.get("system") and held.get("value")):
        yield ".identifier", "bdl-9", "with system and value is required of a document (bdl-9)"
    if not bundle.get("timestamp"):
        yield ".timestamp", "bdl-10", "is required of a document (bdl-10)"


def _entry(kind: object, entry: Mapping[str, Any], at: str, seen: dict[str, int], index: int) -> Iterator[Fault]:
    request, response, inner = entry.get("request"), entry.get("response"), entry.get("resource")
    if kind in ("transaction", "batch") and not request:
        yield f"{at}.request", "bdl-3", f"is required in a {kind} (bdl-3)"
    if request and kind not in _REQUESTED:
        yield f"{at}.request", "bdl-3", "may stand only in a transaction, a batch or a history (bdl-3)"
    if response and kind not in _ANSWERED:
        yield f"{at}.response", "bdl-4", "may stand only in an answer or a history (bdl-4)"
    if entry.get("search") and kind != "searchset":
        yield f"{at}.search", "bdl-2", "may stand only in a search result (bdl-2)"
    if not (inner or request or response):
        yield f"{at}.resource", "bdl-5", "is required where there is neither request nor response (bdl-5)"
    if isinstance(request, Mapping):
        yield from _request(request, inner, f"{at}.request")
    url = entry.get("fullUrl")
    if not isinstance(url, str) or not url:
        return
    if "/_history/" in url:
        yield f"{at}.fullUrl", "bdl-8", "may not name a version (bdl-8)"
    if url in seen and kind != "history" and _version(entry) is None:
        yield f"{at}.fullUrl", "bdl-7", f"stands on entry {seen[url]} as well (bdl-7)"
    seen.setdefault(url, index)


def _version(entry: Mapping[str, Any]) -> Any:
    inner = entry.get("resource")
    meta = inner.get("meta") if isinstance(inner, Mapping) else None
    return meta.get("versionId") if isinstance(meta, Mapping) else None


def _request(request: Mapping[str, Any], inner: Any, at: str) -> Iterator[Fault]:
    method, url = request.get("method"), request.get("url")
    if method in ("POST", "PUT") and not isinstance(inner, Mapping):
        yield at, "bdl-3", f"says {method}, and the entry has no resource"
        return
    name = inner.get("resourceType") if isinstance(inner, Mapping) else None
    if not isinstance(url, str) or not isinstance(name, str) or method not in ("POST", "PUT"):
        return
    step = url.split("?", 1)[0].strip("/").rsplit("/", 2)
    if "$" in url or "://" in url:
        return
    if (step[-1] if method == "POST" else step[0]) not in (name, ""):
        yield f"{at}.url", "bdl-3", "is not the address of the entry's resource type"
