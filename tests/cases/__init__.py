"""Cases an outside judge would bring: written from the public documents, blind to how the engine works."""

from tests.cases import auth, cascades, fhir, healthy, hl7, mapping, network, permission, second, undecidable

AREAS = (auth, fhir, hl7, mapping, network, permission, healthy, cascades, undecidable, second)
