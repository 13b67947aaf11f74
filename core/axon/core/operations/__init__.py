"""What a memory does, one subject per file; ``MemorySystem`` is the face."""
