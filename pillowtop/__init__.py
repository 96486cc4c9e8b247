"""pillowtop keeps other systems in step with CouchDB."""
