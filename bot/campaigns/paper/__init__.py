"""Paper: letters in batches, what the post brought back, and notices to the public."""
