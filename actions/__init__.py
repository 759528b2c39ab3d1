"""What the assistant decides beyond choosing words: pure classes, a tracker in, names out.

An action reads only the tracker and answers with what to say and what to do; the application does
it. So an action that is lost loses nothing, and none touches data. It imports nothing from `bot`.
"""
