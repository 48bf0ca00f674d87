"""Correlate the two logs of one note and say what became of it. Pure."""
