"""A process that appends each whole line that comes over TCP to a file: `port path`."""

from __future__ import annotations

import socketserver
import sys

PORT, PATH = int(sys.argv[1]), sys.argv[2]


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Lines(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with open(PATH, "ab", buffering=0) as file:  # noqa: PTH123
            for line in self.rfile:
                if line.endswith(b"\n"):
                    file.write(line)


with Server(("127.0.0.1", PORT), Lines) as server:
    server.serve_forever()
