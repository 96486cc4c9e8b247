"""A project whose statistics are at /stats/."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("stats/", include("pillowtop.stats.urls"))]
