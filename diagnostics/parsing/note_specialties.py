"""Know the headings that specialties add to a note, and what their sections are part of (domain.md section 4).

A section of a specialty has no field of its own in most templates: it goes with the wider section it is part of.
"""

# section of the specialty, or canonical section of every note → its headings
HEADINGS: dict[str, str] = {
    # psychiatry
    "risk_assessment": "risk assessment|suicide risk assessment|safety assessment|violence risk assessment"
    "|suicide risk|risk formulation",
    "psychiatric_history": "psychiatric history|past psychiatric history|psych history|psych hx|mental health history",
    "psychotherapy": "psychotherapy|psychotherapy note|psychotherapy content|therapy content",
    "substance_use": "substance use history|substance abuse history|substance history",
    # cardiology
    "results": "ecg|ekg|electrocardiogram|echocardiogram|echo|cardiac studies|cardiac testing|stress test"
    "|cardiac catheterization|telemetry|device check|rhythm strip",
    "cardiac_history": "cardiac history|cardiovascular history|cardiac risk factors|cardiovascular risk factors",
    # pediatrics
    "birth_history": "birth history|birth hx|perinatal history|neonatal history|newborn history",
    "development": "developmental history|development|developmental milestones|milestones",
    "immunizations": "immunizations|immunization history|vaccines|vaccinations",
    "historian": "historian|guardian|informant|source of history|history provided by|accompanied by",
    "nutrition": "nutrition|feeding|diet|feeding history",
    "vitals": "growth|growth parameters|growth chart|bp series|blood pressure series|blood pressure log",
}

SPECIALTY_OF: dict[str, str] = {
    **dict.fromkeys(("risk_assessment", "psychiatric_history", "psychotherapy", "substance_use"), "psychiatry"),
    "cardiac_history": "cardiology",
    **dict.fromkeys(("birth_history", "development", "immunizations", "historian", "nutrition"), "pediatrics"),
}

WIDER: dict[str, tuple[str, ...]] = {
    "risk_assessment": ("assessment", "assessment_plan", "plan"),
    "psychiatric_history": ("pmh", "subjective", "hpi"),
    "psychotherapy": ("plan", "assessment_plan", "hpi"),
    "substance_use": ("social_history", "subjective", "hpi"),
    "cardiac_history": ("pmh", "subjective", "hpi"),
    "birth_history": ("pmh", "subjective", "hpi"),
    "development": ("pmh", "subjective", "hpi"),
    "immunizations": ("pmh", "subjective", "hpi", "plan"),
    "historian": ("hpi", "subjective"),
    "nutrition": ("hpi", "subjective"),
}

# an account that reads the chart back may be kept from these: that it does not see them is no loss
RESTRICTED = frozenset({"risk_assessment", "psychotherapy", "substance_use"})
