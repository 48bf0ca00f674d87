"""The practice EHR: FHIR, sign-in, MLLP, names, proxy and gateway that can be made ill by name."""

from diagnostics.practice.case_builder import BuiltCase, build_case
from diagnostics.practice.fault import Fault, Variation
from diagnostics.practice.faults import FAULTS
from diagnostics.practice.healthy import VARIATIONS
from diagnostics.practice.server import PracticeEhr, running_practice

__all__ = ["FAULTS", "VARIATIONS", "BuiltCase", "Fault", "PracticeEhr", "Variation", "build_case", "running_practice"]
