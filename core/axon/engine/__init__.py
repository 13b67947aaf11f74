"""The in-process index: vectors in blocks, columns for filters, a full-text index. numpy and sqlite3 only."""
