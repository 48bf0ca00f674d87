"""Setting a PDF with typst: nothing is fetched, and no file but the template is read."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any


def set_in_type(template: Path, content: Mapping[str, Any], *, at: datetime, form: str = "pdf") -> bytes:
    """Compile a template with its content, as "pdf" or, to be read by a machine, as "html".

    The template finds the content as JSON in `sys.inputs.content`; its texts cannot be taken for markup. `at` is the
    time that the document carries.
    """
    import typst  # big, and few pages need it

    return bytes(
        typst.compile(
            _read(template),
            root=str(template.parent),
            ignore_system_fonts=True,  # the same page on every machine, with the fonts that typst brings along
            format=form,
            sys_inputs={"content": json.dumps(content)},
            timestamp=int(at.timestamp()),
        )
    )


@cache
def _read(template: Path) -> bytes:
    return template.read_bytes()
