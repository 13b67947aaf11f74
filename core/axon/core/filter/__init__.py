"""One filter algebra, one meaning, on every backend and in every framework."""

from axon.core.filter.filter import Filter, FilterLike, as_node

__all__ = ["Filter", "FilterLike", "as_node"]
