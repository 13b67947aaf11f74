"""Timings of Axon beside what the hardware and Python allow, and beside other stores: ``python -m benchmarks``.

One BLAS thread, set here because it has no effect once numpy is loaded: with two of them on a busy machine the
idle one spins, and the spinning counts as CPU time.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
