"""Axon as the classes that LangChain and LlamaIndex users already know.

One subpackage per framework; importing this package loads none of them.
"""
