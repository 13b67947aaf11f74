"""Parts of the Chroma adapter."""
