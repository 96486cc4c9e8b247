from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pillowtop.stats.models import Categorized, Scalar
from tests.stats.http import plugins

START = datetime(2015, 8, 8, tzinfo=UTC)
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


def minute(number):
    """The end of a window."""
    return START + timedelta(minutes=number)


@pytest.fixture(autouse=True)
def project(settings, db):
    """A project that has these statistics, and lets everybody read them."""
    settings.ROOT_URLCONF = "tests.stats.http.urls"
    settings.PILLOWTOP_STATS = {"PLUGINS": plugins.ALL, "ACCESS": "public"}
    settings.ALLOWED_HOSTS = ["testserver"]
    return settings


@pytest.fixture
def volume():
    """Ten rows, a minute apart, with the numbers from 0 to 9."""
    return Scalar.objects.bulk_create(
        Scalar(statistic="volume-1m", timestamp=minute(number), scalar=number)
        for number in range(10)
    )


@pytest.fixture
def categories():
    """Four windows of three categories, of which the last lacks one."""
    rows = [
        Categorized(
            statistic="volume-by-category-1m",
            timestamp=minute(number),
            category=category,
            scalar=10 * number + place,
        )
        for number in range(4)
        for place, category in enumerate(("git", "wiki", "koji"))
    ]
    return Categorized.objects.bulk_create(rows[:-1])
