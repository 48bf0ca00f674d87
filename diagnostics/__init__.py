"""NoteTrace's engine: from a case to a proven cause. Plain Python: no Django, no Celery, no database.

case = case_folder.load(path)
bag = await gather(case, door=Door(...))
diagnosis = diagnose(case, bag)
"""

from diagnostics.case import Case
from diagnostics.engine import diagnose
from diagnostics.findings import Diagnosis
from diagnostics.gather import gather

__all__ = ["Case", "Diagnosis", "diagnose", "gather"]
