"""Statistics by windows of time: messages from a feed, counted by plugins, served over HTTP."""
