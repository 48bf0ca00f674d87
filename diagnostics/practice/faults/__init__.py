"""All named faults of the practice EHR, by name."""

from __future__ import annotations

from diagnostics.practice.fault import Fault
from diagnostics.practice.faults.auth import AUTH_FAULTS
from diagnostics.practice.faults.chart import CHART_FAULTS
from diagnostics.practice.faults.fhir import FHIR_FAULTS
from diagnostics.practice.faults.hl7 import HL7_FAULTS
from diagnostics.practice.faults.network import NETWORK_FAULTS
from diagnostics.practice.faults.permissions import PERMISSION_FAULTS
from diagnostics.practice.faults.scribe import SCRIBE_FAULTS

_ALL = (
    *AUTH_FAULTS,
    *FHIR_FAULTS,
    *HL7_FAULTS,
    *CHART_FAULTS,
    *NETWORK_FAULTS,
    *PERMISSION_FAULTS,
    *SCRIBE_FAULTS,
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}

if len(FAULTS) != len(_ALL):
    raise ValueError("Two faults of the practice EHR have the same name.")

__all__ = ["FAULTS", "Fault"]
