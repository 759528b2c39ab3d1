"""Calls: the list of whom the team rings, what to say, and what came of it."""
