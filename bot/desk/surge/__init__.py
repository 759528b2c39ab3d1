"""What the desk does when more patients write than it can answer: calls at set times, and a word to whoever leads."""
