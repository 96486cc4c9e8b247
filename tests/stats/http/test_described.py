"""Whatever is asked, the answer is one of those that the OpenAPI description names."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

IDENTS = ["volume-1m", "volume-by-category-1m", "log-1m.csv", "latest-1m.svg", "open-1m",
          "open-1m.html", "open-1m.json"]  # fmt: skip
LOOSE = ("positive_data_acceptance",)
"""A cursor is a text, but not every text is a cursor."""


@pytest.fixture
def described(project, volume, categories):
    """The description as it is served."""
    load_all_checks()
    project.ALLOWED_HOSTS = ["localhost"]
    return schemathesis.openapi.from_wsgi("/stats/openapi.json", get_wsgi_application())


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", ["/stats/", "/stats/{ident}", "/stats/{ident}/layout"])
@given(data=st.data())
@settings(max_examples=80, derandomize=True, deadline=None, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
def test_every_answer_is_described(described, path, mode, data):
    case = data.draw(described[path]["GET"].as_strategy(generation_mode=mode))
    _come_close(case, data.draw)
    response = case.call()
    assert response.status_code < 500, response.text
    case.validate_response(response, excluded_checks=CHECKS.get_by_names(LOOSE))


def _come_close(case, draw):
    """Mostly ask for a statistic that there is, and let what no chance makes right away."""
    if case.path_parameters and draw(st.integers(0, 9)):
        case.path_parameters["ident"] = draw(st.sampled_from(IDENTS))
    for name in ("cursor", "callback"):
        if name in case.query and draw(st.integers(0, 4)):
            del case.query[name]
