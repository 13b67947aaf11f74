"""Parts of the Redis adapter."""
