"""What Candour says: proposals, publications, wordings, replies."""
