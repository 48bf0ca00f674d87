"""Vendor profiles: one flat data module per EHR; slugs are those of the public case format."""

from functools import cache
from importlib import import_module

from diagnostics.errors import DeclarationError
from diagnostics.vendors.model import VendorProfile

_MODULES = (
    "athenahealth",
    "athenapractice",
    "eclinicalworks",
    "epic",
    "generic",
    "meditech",
    "nextgen",
    "oracle_health",
    "veradigm",
)


@cache
def _profiles() -> dict[str, VendorProfile]:
    found: dict[str, VendorProfile] = {}
    for name in _MODULES:
        profile: VendorProfile = import_module(f"diagnostics.vendors.{name}").PROFILE
        if profile.slug != name.replace("_", "-"):
            raise DeclarationError(f"vendor module {name} holds the profile {profile.slug}")
        found[profile.slug] = profile
    return found


def slugs() -> tuple[str, ...]:
    """Return every known slug, in alphabetical order."""
    return tuple(sorted(_profiles()))


def profile(slug: str) -> VendorProfile:
    """Return the profile of a vendor; raise DeclarationError naming the slug where there is none.

    Whoever reads a case refuses an unknown slug first, with `slugs()` as what was expected.
    """
    found = _profiles().get(slug)
    if found is None:
        raise DeclarationError(f"no vendor profile {slug}; known are {', '.join(slugs())}")
    return found


__all__ = ["VendorProfile", "profile", "slugs"]
