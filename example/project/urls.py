"""The example's pages: its statistics."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("stats/", include("pillowtop.stats.urls"))]
