"""Elasticsearch: what is sent, what the answers ask for, and which index it goes to."""
