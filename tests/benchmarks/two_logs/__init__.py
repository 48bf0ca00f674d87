"""Generated scribe and EHR logs with their truth, and the judge that compares NoteTrace's answers with it.

Written from the public contract alone, without reading the correlation: the sets must be able to prove it wrong.
"""
