"""What a responder does with a case."""
