"""The demo's hospitals and people. All invented; `.example` is nobody's domain."""

from dataclasses import dataclass

from console.accounts.models import Department, Facility, User
from console.accounts.roles import Role
from console.accounts.services import admit, give_role, open_facility
from console.launch.demo import PASSWORD_FOR_THE_DEMO


@dataclass(frozen=True)
class Place:
    """One facility of the demo."""

    slug: str
    name: str
    time_zone: str
    departments: tuple[tuple[str, str, bool], ...]


PLACES = (
    Place(
        "northcampus",
        "North Campus",
        "America/Chicago",
        (
            ("internal-medicine", "Internal medicine", False),
            ("cardiology", "Cardiology", False),
            ("emergency", "Emergency", False),
            ("behavioral-health", "Behavioral health", True),
        ),
    ),
    Place(
        "lakeside",
        "Lakeside Clinic",
        "America/New_York",
        (("family-medicine", "Family medicine", False), ("pediatrics", "Pediatrics", False)),
    ),
    Place(
        "harbor",
        "Harbor Women's Hospital",
        "America/Los_Angeles",
        (("obstetrics", "Obstetrics", False), ("surgery", "Surgery", False), ("social-work", "Social work", True)),
    ),
)

# (login, name, facility, role); one of each role is printed at the start.
PEOPLE = (
    ("helpdesk@northcampus.example", "Hana Desai", "northcampus", Role.HELP_DESK),
    ("informatics@northcampus.example", "Ines Falk", "northcampus", Role.INFORMATICS),
    ("manager@northcampus.example", "Milo Arend", "northcampus", Role.MANAGER),
    ("engineer@northcampus.example", "Edda Nyström", "northcampus", Role.INTEGRATION_ENGINEER),
    ("privacy@northcampus.example", "Pia Oduya", "northcampus", Role.PRIVACY_OFFICER),
    ("admin@northcampus.example", "Ada Brandt", "northcampus", Role.ADMINISTRATOR),
    ("nightdesk@northcampus.example", "Noah Quist", "northcampus", Role.HELP_DESK),
    ("helpdesk@lakeside.example", "Lars Ibe", "lakeside", Role.HELP_DESK),
    ("engineer@lakeside.example", "Lena Sorrel", "lakeside", Role.INTEGRATION_ENGINEER),
    ("helpdesk@harbor.example", "Hugo Marsh", "harbor", Role.HELP_DESK),
    ("manager@harbor.example", "Maren Teal", "harbor", Role.MANAGER),
)
# Some of the printed logins work across the demo's hospitals, so that there is something to switch between.
ALSO = (
    ("helpdesk@northcampus.example", "lakeside", Role.HELP_DESK),
    ("informatics@northcampus.example", "lakeside", Role.INFORMATICS),
    ("engineer@northcampus.example", "lakeside", Role.INTEGRATION_ENGINEER),
    ("admin@northcampus.example", "lakeside", Role.ADMINISTRATOR),
    ("admin@northcampus.example", "harbor", Role.ADMINISTRATOR),
    ("manager@northcampus.example", "lakeside", Role.MANAGER),
    ("manager@northcampus.example", "harbor", Role.MANAGER),
)
ADMITTED = (
    ("engineer@northcampus.example", "behavioral-health"),
    ("informatics@northcampus.example", "behavioral-health"),
    ("privacy@northcampus.example", "behavioral-health"),
)


@dataclass(frozen=True)
class People:
    """What was made, by slug and login."""

    facilities: dict[str, Facility]
    departments: dict[tuple[str, str], Department]
    users: dict[str, User]


def make_people() -> People:
    """Make facilities with their departments, and people with their roles."""
    facilities = {p.slug: open_facility(slug=p.slug, name=p.name, time_zone=p.time_zone) for p in PLACES}
    departments = {
        (place.slug, slug): Department.objects.create(
            facility=facilities[place.slug], slug=slug, name=name, restricted=restricted
        )
        for place in PLACES
        for slug, name, restricted in place.departments
    }
    users: dict[str, User] = {}
    hashed = ""
    for email, name, place, role in PEOPLE:
        user = User(email=email, name=name, time_zone=facilities[place].time_zone)
        if not hashed:  # one slow hash for all: they share the printed password, and only in the demo
            user.set_password(PASSWORD_FOR_THE_DEMO)
            hashed = user.password
        user.password = hashed
        user.save(force_insert=True)
        users[email] = user
        give_role(user=user, facility=facilities[place], role=role, by=None)
    for email, place, role in ALSO:
        give_role(user=users[email], facility=facilities[place], role=role, by=None)
    for email, slug in ADMITTED:
        admit(user=users[email], department=departments["northcampus", slug], by=None)
    return People(facilities, departments, users)
