"""Measures pillowtop against what the machine and other people's code can do."""
