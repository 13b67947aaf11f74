"""What the framework faces have in common; knows Axon and no framework."""
