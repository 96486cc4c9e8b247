"""What statistics must remember; the only room that uses their tables."""
