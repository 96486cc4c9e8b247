"""Fakes that inject the faults of real servers, for our tests and for yours."""
