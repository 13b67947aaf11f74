"""Axon: tiered memory for LLM applications."""
