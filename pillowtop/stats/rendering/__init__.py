"""What rows look like: JSON, CSV, HTML and charts."""
