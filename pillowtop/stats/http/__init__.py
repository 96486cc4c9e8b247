"""The HTTP front end: what is stored, in the format that is asked for."""
