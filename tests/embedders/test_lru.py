from __future__ import annotations

import numpy as np
import pytest

from axon.embedders.lru import VectorLru


def test_what_is_kept_is_a_copy_that_nobody_can_change() -> None:
    lru = VectorLru(2)
    batch = np.ones((3, 4), np.float32)
    kept = lru.put(b"a", batch[0])
    batch[0] = 9
    assert lru.get(b"a") is kept and kept.base is None
    np.testing.assert_array_equal(kept, np.ones(4))
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 2


def test_the_least_recently_used_goes_first() -> None:
    lru = VectorLru(2)
    row = np.zeros(1, np.float32)
    lru.put(b"a", row)
    lru.put(b"b", row)
    lru.get(b"a")
    lru.put(b"c", row)
    assert [lru.get(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]
    assert len(lru) == 2


def test_without_capacity_nothing_is_kept() -> None:
    lru = VectorLru(0)
    assert lru.put(b"a", np.zeros(1, np.float32)).shape == (1,)
    assert lru.get(b"a") is None and len(lru) == 0
