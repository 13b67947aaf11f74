"""Fresh ids."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from axon.core.ids import make_id_source, new_id


def test_an_id_is_128_bits_in_hex() -> None:
    assert all(re.fullmatch("[0-9a-f]{32}", new_id()) for _ in range(1000))


@pytest.mark.parametrize("pool_size", [1, 2, 512])
def test_no_id_is_given_twice(pool_size: int) -> None:
    source = make_id_source(pool_size)
    assert len({source() for _ in range(5_000)}) == 5_000


def test_no_id_is_given_to_two_threads() -> None:
    source = make_id_source(3)
    with ThreadPoolExecutor(8) as threads:
        drawn = list(chain.from_iterable(threads.map(lambda _: [source() for _ in range(2_000)], range(8))))
    assert len(set(drawn)) == 16_000


FORKING = """
import os
from axon.core.ids import make_id_source
source = make_id_source(64)
source()
receive, send = os.pipe()
if os.fork() == 0:
    os.write(send, " ".join(source() for _ in range(50)).encode())
    os._exit(0)
os.close(send)
print(os.fdopen(receive).read(), *(source() for _ in range(50)))
os.wait()
"""


def test_a_forked_child_draws_ids_of_its_own() -> None:
    run = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True, timeout=60
    )
    drawn = run.stdout.split()
    assert len(drawn) == len(set(drawn)) == 100
