"""Commands about the words of notices."""
