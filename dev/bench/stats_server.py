"""python -m dev.bench.stats_server: serves the statistics of the job in its standard input.

Django's own threaded server, which prints its address. Ends with whoever gave it the job.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import msgspec

from dev.bench.jobs import Job
from dev.bench.pillows import set_up
from dev.bench.stats_rows import SETTINGS

BACKLOG = 1024
THREADS = 32
"""So many clients are served at a time, as by a server in production; the others wait."""


def main() -> None:
    set_up(msgspec.json.decode(sys.stdin.buffer.readline(), type=Job), **SETTINGS)
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: PLC0415
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

    class Server(ThreadedWSGIServer):
        request_queue_size = BACKLOG
        turns = threading.BoundedSemaphore(THREADS)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            with self.turns:
                super().process_request_thread(request, client_address)

    server = Server(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
