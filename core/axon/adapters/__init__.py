"""Places to keep entries; each is reached by name through the registry."""
