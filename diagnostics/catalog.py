"""Find every check, cause, probe, part and vendor; refuse duplicates; look them up.

Modules are found by walking the packages, so that adding a check, a cause or a vendor is adding a file.
"""

import importlib
import pkgutil
from functools import cache

from diagnostics.causes.model import Cause
from diagnostics.check import Check
from diagnostics.errors import DeclarationError


@cache
def load() -> None:
    """Import every module that declares something; a broken declaration raises here, not in a run."""
    for package in ("causes", "evidence", "parsing", "probes", "vendors", "checks"):
        _walk(f"diagnostics.{package}")


def _walk(name: str) -> None:
    package = importlib.import_module(name)
    for module in pkgutil.iter_modules(package.__path__):
        child = f"{name}.{module.name}"
        if module.ispkg:
            _walk(child)
        else:
            importlib.import_module(child)


def checks() -> dict[str, Check]:
    """Return every check by id."""
    from diagnostics import check

    load()
    return check.declared()


def causes() -> dict[str, Cause]:
    """Return every cause by id."""
    from diagnostics.causes import model

    load()
    return model.declared()


def cause(id: str) -> Cause:
    """Return one cause; raise DeclarationError naming the id where the catalogue has none."""
    found = causes().get(id)
    if found is None:
        raise DeclarationError(f"the catalogue has no cause {id}")
    return found
