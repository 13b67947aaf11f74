"""A server with Qdrant's REST and gRPC interfaces over its embedded engine.

Run as a process with the port of each and a folder, in which everything is found again after a restart. Besides the
interfaces the REST port has a back door: ``GET /requests`` lists what was asked over both and ``DELETE`` forgets it;
``POST /script`` takes a list of faults, one per coming request: an object with ``status`` and ``headers`` (over gRPC
``code`` and ``headers``), ``cut`` (the connection ends without an answer) or ``hang`` (no answer for so many seconds).
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.servers.qdrant_engine import Engine
from tests.servers.qdrant_faults import Backdoor
from tests.servers.qdrant_grpc import grpc_server
from tests.servers.qdrant_rest import RestServer

if __name__ == "__main__":
    rest_port, grpc_port = int(sys.argv[1]), int(sys.argv[2])
    engine, backdoor = Engine(Path(sys.argv[3])), Backdoor()
    # Kept, because a gRPC server ends with its object.
    over_grpc = grpc_server(grpc_port, engine, backdoor)
    over_grpc.start()
    RestServer(rest_port, engine, backdoor).serve_forever()
