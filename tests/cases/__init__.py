"""Cases an outside judge would bring: written from the public documents, blind to how the engine works."""
