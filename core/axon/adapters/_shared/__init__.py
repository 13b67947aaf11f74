"""What adapters of blocking clients share."""
