"""What the framework faces have in common; knows Axon, and frameworks only in modules named for them."""
