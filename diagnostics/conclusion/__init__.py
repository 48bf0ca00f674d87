"""Draw the conclusion from findings: root cause, contributing causes, what is ruled out, what would settle it."""
