from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.couch import Database, call

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

STATS = """
INSTALLED_APPS += ["pillowtop.stats"]
PILLOWTOP_STATS = {"PLUGINS": PLUGINS}
"""

PILLOWS = """
from datetime import timedelta
from pillowtop.stats.models import Scalar
from pillowtop.stats.pillows import StatsPillow
from pillowtop.stats.plugins import Plugin

class Messages(StatsPillow):
    couch_db = {database!r}
    {attributes}

class Said(Plugin):
    summary = description = "for tests"
    interval = timedelta(seconds=10)
    model = Scalar

class Count(Said):
    name = "count"

    def initialize(self):
        self.count = 0

    def process(self, message):
        self.count += 1

    def update(self):
        return [Scalar(scalar=self.count)]

class Users(Said):
    name = "users"
    interval = timedelta(minutes=1)

    def initialize(self):
        self.users = set()

    def process(self, message):
        self.users.add(message["user"])

    def update(self):
        return [Scalar(scalar=len(self.users))]

class Names(Said):
    name = "names"

    def handle(self, messages):
        return [Scalar(scalar=len({{message["_id"] for message in messages}}))]

{more}
"""

SHOW = (
    "import json; from pillowtop.stats.models import Scalar; "
    "print(json.dumps([[r.statistic, r.timestamp.isoformat(), r.scalar] "
    "for r in Scalar.objects.order_by('statistic', 'timestamp')]))"
)


class Statistics:
    """A project with a pillow that counts the messages of a database."""

    def __init__(self, project, database):
        self.project = project
        self.database = database

    def have_plugins(self, *names):
        """Change the settings: who runs goes on with those before."""
        listed = json.dumps([f"pillows.{name}" for name in names])
        settings = self.project.folder / "project_settings.py"
        text = settings.read_text()
        head, _, _ = text.partition("PILLOWTOP_STATS")
        settings.write_text(f'{head}PILLOWTOP_STATS = {{"PLUGINS": {listed}}}\n')

    def send(self, doc_id, seconds, user="ann", **fields):
        when = (NOON + timedelta(seconds=seconds)).isoformat()
        self.database.put(doc_id, timestamp=when, user=user, **fields)

    def send_all(self, messages):
        """Many at once: id, seconds and user of each."""
        self.database.put_many(
            [
                {
                    "_id": doc_id,
                    "timestamp": (NOON + timedelta(seconds=seconds)).isoformat(),
                    "user": user,
                }
                for doc_id, seconds, user in messages
            ]
        )

    def archive(self):
        """Write all messages to where the pillows stand, as lines of JSON."""
        rows = call("GET", f"{self.database.url}/_all_docs?include_docs=true")["rows"]
        lines = [json.dumps(row["doc"]) for row in rows]
        (self.project.folder / "archive").write_text("\n".join(lines))

    def run(self, code):
        result = self.project.manage("shell", "--no-imports", "-c", code)
        assert result.returncode == 0, result.stderr

    def rows(self):
        """By statistic: end of the window, in seconds, and value."""
        found = {}
        for statistic, at, value in self.ask(SHOW):
            seconds = (datetime.fromisoformat(at) - NOON).total_seconds()
            found.setdefault(statistic, {})[seconds] = value
        return found

    def progress(self):
        code = (
            "import json; from pillowtop.stats.models import StatsProgress; "
            "print(json.dumps(list(StatsProgress.objects.values())))"
        )
        return {row.pop("pillow"): row for row in self.ask(code)}

    def ask(self, code):
        """What is printed as JSON."""
        result = self.project.manage("shell", "--no-imports", "-c", f"import json; {code}")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)


@pytest.fixture
def database(couch_database):
    return Database(couch_database)


@pytest.fixture
def django_database(request):
    """What replaces SQLite: nothing, unless a test is run on both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return {}
    return request.getfixturevalue("postgresql_database")


on_both = pytest.mark.parametrize("django_database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def make_statistics(django_database, make_project, database):
    """Makes `Statistics`."""

    def make(attributes="", more="", plugins=("Count", "Users", "Names"), models="", **settings):
        tuned = {"COUCHDB_URL": database.server, "CHECKPOINT_SECONDS": 0.2, **settings}
        source = PILLOWS.format(database=database.name, attributes=attributes or "pass", more=more)
        listed = json.dumps([f"pillows.{name}" for name in plugins])
        project = make_project(
            tuned,
            ["pillows.Messages"],
            source,
            models=models,
            more=STATS.replace("PLUGINS}", f"{listed}}}"),
            database=django_database,
        )
        return Statistics(project, database)

    return make
