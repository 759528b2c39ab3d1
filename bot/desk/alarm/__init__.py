"""What the desk does by itself: it remembers, reminds, pages, and takes back what nobody touches."""
