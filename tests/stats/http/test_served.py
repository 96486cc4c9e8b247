"""Statistics as they are served in production: by a server, on PostgreSQL, to who has signed in."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import urlencode

import pytest
import requests

from dev.servers.process import HOST, free_port
from tests.projects import wait_until

MESSAGES = 300

SETTINGS = """
INSTALLED_APPS += ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "project_urls"
ALLOWED_HOSTS = ["*"]
LOGIN_REDIRECT_URL = "/stats/"
"""

URLS = """
from django.contrib.auth.views import LoginView
from django.urls import include, path

urlpatterns = [path("stats/", include("pillowtop.stats.urls")), path("login", LoginView.as_view())]
"""

USER = (
    "from django.contrib.auth.models import User; "
    "User.objects.create_user('ann', password='a word of hers')"
)

TOKEN = "x" * 32
"""Against forged requests: the page with the form would have brought one."""

SERVERS = {
    "wsgi": lambda port: ["manage.py", "runserver", "--noreload", f"{HOST}:{port}"],
    "asgi": lambda port: ["-m", "uvicorn", "project_asgi:application", f"--port={port}"],
}

ASGI = "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"


@pytest.fixture
def statistics(make_statistics):
    """Some hundred rows, with addresses, and a user."""
    made = make_statistics("lateness = timedelta(0)", plugins=["Count"])
    folder = made.project.folder
    with (folder / "project_settings.py").open("a") as file:
        file.write(SETTINGS)
    (folder / "project_urls.py").write_text(URLS)
    (folder / "project_asgi.py").write_text(ASGI)
    made.project.migrate()
    made.run(USER)
    made.send_all([(f"m{number}", number * 10, "ann") for number in range(MESSAGES + 1)])
    made.project.catch_up()
    return made


@pytest.fixture(params=SERVERS)
def address(request, statistics, tmp_path):
    """Where the statistics are."""
    port = free_port()
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, *SERVERS[request.param](port)],
            cwd=statistics.project.folder,
            env=statistics.project.env({}),
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: _listens(port), what=(tmp_path / "server.log").read_text)
        yield f"http://{HOST}:{port}"
    finally:
        server.kill()
        server.wait()


def _listens(port):
    try:
        return requests.get(f"http://{HOST}:{port}/nowhere", timeout=60).status_code == 404
    except requests.ConnectionError:
        return False


def pages(session, address):
    """The rows of one page after the other."""
    while address:
        response = session.get(address, timeout=60)
        response.raise_for_status()
        yield response.json()
        address = response.links.get("next", {}).get("url")


@pytest.mark.parametrize("django_database", ["postgresql"], indirect=True)
def test_who_has_signed_in_reads_all_rows(address):
    first = f"{address}/stats/count-10s?{urlencode({'rows_per_page': 7, 'order': 'asc'})}"
    assert requests.get(first, timeout=60).status_code == 403
    with requests.Session() as session:
        session.cookies.set("csrftoken", TOKEN)
        who = {"username": "ann", "password": "a word of hers", "csrfmiddlewaretoken": TOKEN}
        assert session.post(f"{address}/login", who, timeout=60).url == f"{address}/stats/"
        read = list(pages(session, first))
        assert {len(page) for page in read[:-1]} == {7}
        times = [row["timestamp"] for page in read for row in page]
        assert len(times) == MESSAGES
        assert times == sorted(set(times))
        for kind in ("svg", "csv", "html"):
            assert session.get(f"{address}/stats/count-10s.{kind}", timeout=60).status_code == 200
