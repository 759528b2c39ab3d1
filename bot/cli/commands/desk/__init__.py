"""Commands about the team that answers."""
