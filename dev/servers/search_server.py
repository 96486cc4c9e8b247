"""One real Elasticsearch or OpenSearch node, made of the jars that are published to Maven."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dev.servers import search_files
from dev.servers.cache import prepared, run_tool
from dev.servers.process import HttpServer
from dev.servers.tools import Jdk, find_jdk, find_maven

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = Path(__file__).with_name("search")
COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


@dataclass(frozen=True)
class Kind:
    """A version of a search server."""

    product: str
    version: str
    oldest_jdk: int
    newest_jdk: int | None = None

    @property
    def is_elasticsearch(self) -> bool:
        return self.product == "elasticsearch"

    @property
    def main(self) -> str:
        return "ElasticsearchNode" if self.is_elasticsearch else "OpenSearchNode"

    @property
    def pom(self) -> Path:
        return SOURCE / f"{self.product}.xml"

    @property
    def source(self) -> Path:
        return SOURCE / f"{self.main}.java"

    def jdk(self) -> Jdk:
        return find_jdk(self.oldest_jdk, self.newest_jdk)


KINDS = {
    "es8": Kind("elasticsearch", "8.19.21", oldest_jdk=17),
    "es9": Kind("elasticsearch", "9.5.3", oldest_jdk=21),
    # OpenSearch 2 needs the security manager, which JDK 24 has no more.
    "os2": Kind("opensearch", "2.19.6", oldest_jdk=17, newest_jdk=23),
    "os3": Kind("opensearch", "3.8.0", oldest_jdk=21),
}


def prepare_search(name: str = "es8") -> Path:
    """Return the folder of jars and classes of a kind, the node's home."""
    kind = KINDS[name]
    kind.jdk()
    return prepared(
        name,
        [kind.pom.read_bytes(), kind.source.read_bytes(), repr(kind).encode()],
        f"fetching {kind.product} {kind.version} (Maven), about 20 s",
        lambda folder: _build(kind, folder),
    )


def _build(kind: Kind, home: Path) -> None:
    jdk = kind.jdk()
    _fetch_jars(kind, jdk, home / "lib")
    for name in ("classes", "modules", "native", "plugins"):
        (home / name).mkdir()
    run_tool([jdk.javac, *_javac_options(kind, home), kind.source], home)
    if kind.is_elasticsearch:
        _make_module(kind, home)
        _link_zstd(home / "native")


def _javac_options(kind: Kind, home: Path) -> list[str | Path]:
    release = str(kind.oldest_jdk)
    return ["--release", release, "-nowarn", "-d", home / "classes", "-cp", home / "lib" / "*"]


def _fetch_jars(kind: Kind, jdk: Jdk, folder: Path) -> None:
    options = [
        "-DincludeScope=runtime",
        f"-Dserver.version={kind.version}",
        f"-DoutputDirectory={folder}",
    ]
    command: list[str | Path] = [find_maven(), "-q", "-B", "-f", kind.pom, COPY_JARS, *options]
    run_tool(command, folder.parent, {"JAVA_HOME": str(jdk.home)})


def _make_module(kind: Kind, home: Path) -> None:
    """Elasticsearch takes its HTTP server only from a folder of modules."""
    module = home / "modules" / "transport-netty4"
    module.mkdir()
    for pattern in ("transport-netty4-*.jar", "netty-*.jar", "elasticsearch-ssl-config-*.jar"):
        for jar in (home / "lib").glob(pattern):
            shutil.move(jar, module)
    descriptor = module / "plugin-descriptor.properties"
    descriptor.write_text(search_files.module_descriptor(kind.version, kind.oldest_jdk))


def _link_zstd(folder: Path) -> None:
    """Only indices with `index.codec: best_compression` need it, so it may be missing."""
    for library in sorted(Path("/usr").glob("lib*/**/libzstd.so.1"))[:1]:
        (folder / "libzstd.so").symlink_to(library)


class SearchServer(HttpServer):
    """A search server; `settings` are added to its configuration file.

    Without a `data_dir` its folder is temporary and removed at `stop()`.
    """

    title: ClassVar[str] = "the search server"
    start_seconds: ClassVar[float] = 120

    def __init__(
        self,
        data_dir: Path | None = None,
        kind: str = "es8",
        port: int | None = None,
        heap: str = "512m",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data_dir, port)
        self.kind = kind
        self.heap = heap
        self.settings = dict(settings or {})

    def _prepare(self) -> None:
        prepare_search(self.kind)

    def _command(self) -> Sequence[str | Path]:
        kind, home = KINDS[self.kind], prepare_search(self.kind)
        config = self._write_config(kind)
        jdk = kind.jdk()
        options = [*_java_options(self.heap), f"-Djava.io.tmpdir={self.folder / 'tmp'}"]
        options += _product_options(kind, jdk, home)
        class_path = os.pathsep.join([str(home / "classes"), str(home / "lib" / "*")])
        return [jdk.java, *options, "-cp", class_path, kind.main, home, config]

    def _write_config(self, kind: Kind) -> Path:
        for name in ("config", "data", "logs", "tmp"):
            (self.folder / name).mkdir(exist_ok=True)
        config = self.folder / "config"
        settings = search_files.node_settings(self.folder, self.port, self.settings)
        (config / f"{kind.product}.yml").write_text(settings)
        (config / "log4j2.properties").write_text(search_files.LOGGING)
        return config

    def _listening(self) -> str:
        return f"publish_address {{127.0.0.1:{self.port}}}"

    def _ready_path(self) -> str:
        # After a restart requests are answered with 503 until the shards are back.
        return "/_cluster/health?wait_for_status=yellow&timeout=1s"


def _java_options(heap: str) -> list[str]:
    """A small process that starts fast, rather than one that is fast after a minute."""
    return [
        "-Xms64m",
        f"-Xmx{heap}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dlog4j.shutdownHookEnabled=false",
        "-Dlog4j2.disable.jmx=true",
        "-Dio.netty.noUnsafe=true",
    ]


def _product_options(kind: Kind, jdk: Jdk, home: Path) -> list[str]:
    if not kind.is_elasticsearch:
        return [f"-Dopensearch.path.home={home}"]
    options = [
        f"-Des.path.home={home}",
        f"-Des.nativelibs.path={home / 'native'}",
        # Its native libraries are not published to Maven.
        "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
    ]
    # Older ones do not know the option; newer ones warn without it.
    return [*options, "--enable-native-access=ALL-UNNAMED"] if jdk.version >= 21 else options
