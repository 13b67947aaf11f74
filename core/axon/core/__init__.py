"""The memory itself: models, filters, policies and orchestration, with no vendor and no framework in it."""
