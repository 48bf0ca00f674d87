"""Reports: for managers and informatics; everybody else is refused."""

from tests.console.walk import only

ROWS = {
    "reports:mttr": only(manager=200, informatics=200),
    "reports:tickets": only(manager=200, informatics=200),
    "reports:mttr_csv": only(manager=200, informatics=200),
    "reports:mttr_pdf": only(manager=200, informatics=200),
}
