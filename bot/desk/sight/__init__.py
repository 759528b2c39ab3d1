"""What is seen of the desk as a whole: load, figures, what nobody handled, who is on file."""
