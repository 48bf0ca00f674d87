"""Hold the engine's own exceptions.

    DiagnosticsError
    ├── CaseError            a case folder that cannot be read: file, key, what was expected (exit code 2)
    ├── DeclarationError     a check, cause, probe or vendor declared wrongly (raised at import)
    └── Refused              the address policy does not allow an act; carries the rule that said so

A refused connection, a timeout, a 401 or a NACK is evidence, never an exception.
"""


class DiagnosticsError(Exception):
    """Be the root of everything this package raises on purpose."""


class CaseError(DiagnosticsError):
    """Name the place in a case folder that cannot be read, and what was expected there."""

    def __init__(self, file: str, key: str, expected: str) -> None:
        self.file, self.key, self.expected = file, key, expected
        place = f"{file}: {key}" if key else file
        super().__init__(f"{place}: {expected}")


class DeclarationError(DiagnosticsError):
    """Refuse a declaration that breaks the house rules, at import, naming the offender."""


class Refused(DiagnosticsError):
    """Say that the address policy does not allow this act."""
