"""Parts of the SQLite adapter."""
