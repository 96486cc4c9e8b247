"""Where documents go, other than Elasticsearch."""
