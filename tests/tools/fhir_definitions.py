"""Write the FHIR R4 element definitions that the payload judgement reads: `python -m tests.tools.fhir_definitions`.

They are taken from the models of fhir.resources (R4B by name), corrected where R4B differs from R4 or the models hold
less than the standard; `tests/diagnostics/parsing/test_fhir_definitions.py` keeps the file equal to what this makes.
"""

import json
import types
import typing
from pathlib import Path
from typing import Any, Union

from fhir.resources.R4B import get_fhir_model_class

TARGET = Path(__file__).resolve().parents[2] / "diagnostics" / "parsing" / "fhir_r4.json"

# What a scribe's payload may carry, alone, in a Bundle or contained, and what a server answers with. Definitions of
# these are the same in R4 and R4B but for the corrections below.
RESOURCES = """
Account AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic Binary BodyStructure Bundle
CapabilityStatement CarePlan CareTeam ChargeItem ClinicalImpression Communication CommunicationRequest Composition
Condition Consent Coverage DetectedIssue Device DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest
DocumentReference Encounter Endpoint EpisodeOfCare FamilyMemberHistory Flag Goal Group GuidanceResponse
HealthcareService ImagingStudy Immunization List Location Media Medication MedicationAdministration
MedicationDispense MedicationRequest MedicationStatement MessageHeader NutritionOrder Observation OperationOutcome
Organization Parameters Patient Person Practitioner PractitionerRole Procedure Provenance Questionnaire
QuestionnaireResponse RelatedPerson RequestGroup RiskAssessment Schedule ServiceRequest Slot Specimen Substance
Task VisionPrescription
""".split()  # noqa: SIM905

# Further resources of FHIR R4: known by name, not judged inside.
OTHERS = """
ActivityDefinition AdverseEvent BiologicallyDerivedProduct CatalogEntry ChargeItemDefinition Claim ClaimResponse
CodeSystem CompartmentDefinition ConceptMap Contract CoverageEligibilityRequest CoverageEligibilityResponse
DeviceDefinition DeviceMetric EffectEvidenceSynthesis EnrollmentRequest EnrollmentResponse EventDefinition Evidence
EvidenceVariable ExampleScenario ExplanationOfBenefit GraphDefinition ImmunizationEvaluation
ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage Measure MeasureReport
MedicationKnowledge MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication
MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured
MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition
MolecularSequence NamingSystem ObservationDefinition OperationDefinition OrganizationAffiliation PaymentNotice
PaymentReconciliation PlanDefinition ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject
RiskEvidenceSynthesis SearchParameter SpecimenDefinition StructureDefinition StructureMap Subscription
SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial
SubstanceSpecification SupplyDelivery SupplyRequest TerminologyCapabilities TestReport TestScript ValueSet
VerificationResult
""".split()  # noqa: SIM905

_COMPARATORS = ["<", "<=", ">=", ">"]
_RESULT = ["registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled",
           "entered-in-error", "unknown"]  # fmt: skip
# Required value sets of which the models hold only the beginning (FHIR R4, value set definitions).
CODES: dict[str, list[str]] = {
    "Bundle.type": ["document", "message", "transaction", "transaction-response", "batch", "batch-response",
                    "history", "searchset", "collection"],
    "BundleEntryRequest.method": ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"],
    "BundleEntrySearch.mode": ["match", "include", "outcome"],
    "DiagnosticReport.status": _RESULT,
    "Observation.status": [code for code in _RESULT if code not in ("partial", "appended")],
    "Encounter.status": ["planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled",
                         "entered-in-error", "unknown"],
    "EncounterStatusHistory.status": ["planned", "arrived", "triaged", "in-progress", "onleave", "finished",
                                      "cancelled", "entered-in-error", "unknown"],
    "MedicationRequest.status": ["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped",
                                 "draft", "unknown"],
    "MedicationRequest.intent": ["proposal", "plan", "order", "original-order", "reflex-order", "filler-order",
                                 "instance-order", "option"],
    "ServiceRequest.status": ["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"],
    "ServiceRequest.intent": ["proposal", "plan", "directive", "order", "original-order", "reflex-order",
                              "filler-order", "instance-order", "option"],
    **{f"{name}.comparator": _COMPARATORS for name in ("Age", "Count", "Distance", "Duration", "Quantity")},
    "DetectedIssue.status": [code for code in _RESULT if code not in ("partial", "appended")],
    "RiskAssessment.status": [code for code in _RESULT if code not in ("partial", "appended")],
    "OperationOutcomeIssue.code": [
        "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired",
        "forbidden", "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found",
        "deleted", "too-long", "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient",
        "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled", "informational"],
    "Composition.status": ["preliminary", "final", "amended", "entered-in-error"],
    "CompositionAttester.mode": ["personal", "professional", "legal", "official"],
    "CompositionSection.mode": ["working", "snapshot", "changes"],
}  # fmt: skip
# Kinds of target that R4B added and R4 (4.0.1) does not know.
TARGETS: dict[str, list[str]] = {"Observation.subject": ["Patient", "Group", "Device", "Location"]}
_OPEN = ("CapabilityStatement.format",)  # any MIME type besides those the models name
_NOT_IN_R4 = ("CodeableReference", "RatioRange")
_PLAIN = {bool: "boolean"}
_XHTML = {("Narrative", "div")}


def _unwrapped(annotation: Any) -> tuple[Any, bool, bool]:
    """Return the type inside Optional and List, whether it repeats, and whether it may be left out."""
    optional = many = False
    if typing.get_origin(annotation) in (Union, types.UnionType):
        parts = [a for a in typing.get_args(annotation) if a is not type(None)]
        optional, annotation = True, parts[0]
    if typing.get_origin(annotation) is list:
        many, annotation = True, typing.get_args(annotation)[0]
        if typing.get_origin(annotation) in (Union, types.UnionType):
            annotation = next(a for a in typing.get_args(annotation) if a is not type(None))
    return annotation, many, optional


def _type(annotation: Any, field: Any) -> str:
    """Return the FHIR name of a type: a primitive in lower case, else the model's name."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    held = [*getattr(annotation, "__metadata__", ()), *field.metadata]
    for each in held:
        name = type(each).__name__
        if name == "UuidVersion":
            return "uuid"
        if name in ("Base64Binary", "Boolean", "Canonical", "Code", "Date", "DateTime", "Decimal", "Id", "Instant",
                    "Integer", "Markdown", "Oid", "PositiveInt", "String", "Time", "UnsignedInt", "Uri", "Url", "Uuid",
                    "Xhtml"):  # fmt: skip
            return name[0].lower() + name[1:]
    return str(annotation.__name__).removesuffix("Type")


def define(name: str) -> dict[str, list[Any]]:
    """Return a type's elements: name → [type, cardinality, codes or targets, choice]."""
    found: dict[str, list[Any]] = {}
    model = get_fhir_model_class(name)
    for field in model.model_fields.values():
        extra = field.json_schema_extra or {}
        if not isinstance(extra, dict) or not extra.get("element_property") or field.alias is None:
            continue
        annotation, many, optional = _unwrapped(field.annotation)
        kind = "xhtml" if (name, field.alias) in _XHTML else _type(annotation, field)
        if kind in _NOT_IN_R4:
            continue
        least = 1 if extra.get("element_required") or not optional else 0
        element: list[Any] = [kind, f"{least}..{'*' if many else '1'}"]
        place = f"{name}.{field.alias}"
        codes = CODES.get(place) or extra.get("enum_values") if kind == "code" else None
        whole = codes and place not in _OPEN and not any(str(code) in ("+", "etc.") for code in codes)
        allowed = codes if whole else None
        if kind in ("Reference", "canonical"):
            allowed = TARGETS.get(place) or extra.get("enum_reference_types")
            allowed = None if allowed and "Resource" in allowed else allowed
        choice = extra.get("one_of_many")
        if choice:
            must = "!" if extra.get("one_of_many_required") else ""
            element += [sorted(map(str, allowed)) if allowed else None, f"{choice}{must}"]
        elif allowed:
            element.append(sorted(map(str, allowed)))
        found[field.alias] = element
    return found


def definitions() -> dict[str, dict[str, list[Any]]]:
    """Return every type reachable from the resources, by name."""
    wanted: list[str] = [*RESOURCES, "Element"]
    made: dict[str, dict[str, list[Any]]] = {}
    while wanted:
        name = wanted.pop()
        if name in made or name[:1].islower() or name in ("Resource", "Any"):
            continue
        made[name] = define(name)
        wanted += [element[0] for element in made[name].values()]
    return dict(sorted(made.items()))


def text() -> str:
    """Return the file's text: one type a line, so that a difference can be read."""
    rows = [f"{json.dumps(name)}: {json.dumps(elements, separators=(',', ':'))}"
            for name, elements in definitions().items()]  # fmt: skip
    names = f'{{"resources": {json.dumps(RESOURCES)},\n"others": {json.dumps(OTHERS)},\n'
    return names + '"types": {\n' + ",\n".join(rows) + "\n}}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
