"""python -m dev.servers KIND: servers in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from dev.servers.couch_server import CouchServer
from dev.servers.exceptions import ServerError
from dev.servers.postgres_server import PostgresServer
from dev.servers.process import Server
from dev.servers.search_server import KINDS, SearchServer

POLL_SECONDS = 0.5


def main() -> None:
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        serve(chosen_servers(arguments))
    except ServerError as error:
        sys.exit(str(error))


def _stop(_number: int, _frame: object) -> NoReturn:
    sys.exit(0)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.servers", description=__doc__)
    parser.add_argument("which", choices=["couch", "search", "both", "postgres"])
    parser.add_argument("--port", type=int, help="of the (first) server; both: the next one too")
    parser.add_argument("--data", type=Path, help="folder to keep data in (default: temporary)")
    parser.add_argument("--admin", metavar="USER:PASSWORD", help="asked for by CouchDB")
    parser.add_argument("--kind", choices=KINDS, default="es8", help="of search server")
    return parser.parse_args()


def chosen_servers(arguments: argparse.Namespace) -> list[Server]:
    data: Path | None = arguments.data
    port: int | None = arguments.port
    servers: list[Server] = []
    if arguments.which in ("couch", "both"):
        servers.append(CouchServer(data and data / "couch", port, arguments.admin))
    if arguments.which in ("search", "both"):
        search_port = port and port + len(servers)
        servers.append(SearchServer(data and data / arguments.kind, arguments.kind, search_port))
    if arguments.which == "postgres":
        servers.append(PostgresServer(port))
    return servers


def serve(servers: list[Server]) -> None:
    """Run until a signal comes or one of them ends."""
    with ExitStack() as stack:
        for server in servers:
            stack.enter_context(server)
            print(f"{server.title}: {server.url}", flush=True)
        while all(server.pid for server in servers):
            time.sleep(POLL_SECONDS)
        ended = next(server for server in servers if not server.pid)
        raise ServerError(f"{ended.title} ended:\n{ended.log_tail()}")


if __name__ == "__main__":
    main()
