"""How well patients are understood: messages whose topic is known, asked as patients ask, and the figures that come out."""
