"""Step 6: what the logs as a whole say, and faults that lie with the scribe or the EHR themselves."""
