"""What people write today: IBM's follower into the Elasticsearch client's bulk helper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ibm_cloud_sdk_core.authenticators import (  # type: ignore[import-untyped]
    Authenticator,
    BasicAuthenticator,
    NoAuthAuthenticator,
)
from ibmcloudant import ChangesFollower
from ibmcloudant.cloudant_v1 import CloudantV1

from dev.bench.bulk_helper import index_all
from dev.bench.jobs import Figures, Job
from pillowtop.endpoints import Endpoint


def follow(job: Job) -> Figures:
    follower = ChangesFollower(service=_service(job), db=job.database, include_docs=True)
    return index_all(job, _actions(follower, job.alias))


def _actions(follower: ChangesFollower, alias: str) -> Iterator[dict[str, Any]]:
    for change in follower.start_one_off():
        if change.deleted:
            yield {"_op_type": "delete", "_index": alias, "_id": change.id}
        else:
            source = change.doc.to_dict()
            del source["_id"]
            yield {"_index": alias, "_id": change.id, "_source": source}


def _service(job: Job) -> CloudantV1:
    endpoint = Endpoint.parse(job.couchdb_url)
    authenticator: Authenticator = NoAuthAuthenticator()
    if endpoint.username:
        authenticator = BasicAuthenticator(endpoint.username, endpoint.password)
    service = CloudantV1(authenticator=authenticator)
    service.set_service_url(endpoint.url)
    return service
