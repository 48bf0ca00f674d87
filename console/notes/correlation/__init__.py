"""Correlate the stored rows of both logs into one trace a note. The doors are here."""

from console.notes.correlation.doors import Report, correlate_all, correlate_new
from console.notes.correlation.one import correlate_note, trace_of

__all__ = ["Report", "correlate_all", "correlate_new", "correlate_note", "trace_of"]
