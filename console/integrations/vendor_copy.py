"""Change an integration's copy of its vendor's profile, one fact at a time, and put a fact back.

The copy stands in the settings as the engine reads it; each change is a row with who, when and why. The audit trail
gets the fact's name, never its value.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from console.accounts.models import User
from console.accounts.services import record
from console.integrations.models import Integration, ProfileChange
from console.integrations.services import EditedMeanwhile, IntegrationError
from diagnostics.vendors import profile
from diagnostics.vendors.facts import Fact, ProfileError


def own_facts(integration: Integration) -> Mapping[str, Any]:
    """Give the integration's own facts by name."""
    found: Mapping[str, Any] = integration.settings.get("vendor_profile") or {}
    return found


def state_of(integration: Integration) -> str:
    """Give what tells one state of the copy from another."""
    text = json.dumps([integration.vendor, own_facts(integration)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@transaction.atomic
def change_fact(*, integration: Integration, fact: Fact, value: Any, why: str, seen: str, by: User | None) -> None:
    """Let one fact be different here; `seen` is the state the person looked at, empty where nobody looked."""
    held = _held(integration, seen)
    vendor = profile(held.vendor)
    own = {**own_facts(held), fact.name: value}
    try:
        read = fact.read(value)
    except ProfileError as error:
        raise IntegrationError(f"{error.expected[:1].upper()}{error.expected[1:]}.") from None
    if read == fact.of(vendor):
        raise IntegrationError("This is what the vendor's profile says already. Put it back instead of copying it.")
    if fact.name in own_facts(held) and own_facts(held)[fact.name] == value:
        raise IntegrationError("This is the value it has here already.")
    _keep(held, own)
    ProfileChange.objects.create(integration=held, fact=fact.name, value=value, why=why, by=by)
    _record(held, fact, by, put_back=False)


@transaction.atomic
def put_back(*, integration: Integration, fact: Fact, why: str = "", seen: str = "", by: User | None) -> bool:
    """Let the vendor's value hold again; tell whether there was anything to put back."""
    held = _held(integration, seen)
    own = dict(own_facts(held))
    if fact.name not in own:
        return False
    del own[fact.name]
    _keep(held, own)
    ProfileChange.objects.create(integration=held, fact=fact.name, put_back=True, why=why, by=by)
    _record(held, fact, by, put_back=True)
    return True


def _held(integration: Integration, seen: str) -> Integration:
    held = Integration.objects.select_for_update(of=("self",)).get(pk=integration.pk)
    if seen and seen != state_of(held):
        raise EditedMeanwhile(
            "Somebody changed this profile while you edited. Nothing was overwritten: look at what holds now, and save "
            "again to put yours in its place."
        )
    return held


def _keep(held: Integration, own: dict[str, Any]) -> None:
    held.settings = {**held.settings, "vendor_profile": own}
    if not own:
        del held.settings["vendor_profile"]
    held.save(update_fields=["settings"])


def _record(held: Integration, fact: Fact, by: User | None, *, put_back: bool) -> None:
    action = "integration.profile_put_back" if put_back else "integration.profile_changed"
    record(by=by, action=action, subject=held, facility=held.facility_id, detail={"fact": fact.name})
