"""Templates and change reviews."""

from datetime import date
from typing import Any

from console.changes.models import ChangeReview
from console.integrations.models import TemplateVersion
from tests.console.walk import Place, Row, only

SEEN = Row(200, 404, 200, 200, privacy=404, administrator=200)

ROWS = {
    "changes:register": Row(200, 200, 200, 200, privacy=403, administrator=200),
    "changes:version": SEEN,
    "changes:propose": only(informatics=200),
    "changes:review": SEEN,
    "changes:decide": Row(
        403, 404, 403, 403, method="post", data=(("decision", "approve"),), engineer=403, informatics=302, privacy=404,
        administrator=403,
    ),
    "changes:mapping": Row(403, 404, 403, 403, engineer=200, informatics=403, privacy=404, administrator=200),
}  # fmt: skip


def furnish(place: Place) -> dict[str, Any]:
    content = {"template_id": "PROG-14", "version": 8, "fields": [{"id": "HPI_TXT"}]}
    version = TemplateVersion.objects.create(
        integration=place.integration, template_id="PROG-14", version=7, content={**content, "version": 7}
    )
    review = ChangeReview.objects.create(
        facility=place.facility, template_id="PROG-14", version=8, content=content, goes_live_on=date(2030, 1, 1)
    )
    review.integrations.add(place.integration)
    return {"version_id": version.id, "review_id": review.id}
