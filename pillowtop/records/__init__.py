"""What must be remembered: tokens, positions, dead letters, requests of operators."""
