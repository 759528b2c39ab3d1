"""What the engine understands by: likeness, topics and danger; needs nothing of Rasa."""
