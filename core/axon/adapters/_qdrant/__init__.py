"""Parts of the Qdrant adapter."""
