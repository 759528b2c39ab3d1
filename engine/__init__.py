"""What runs inside Rasa: the door, the understanding, the memory and the start of the processes.

Lives in the engine's own environment and imports nothing from the application. It sees opaque
keys and masked text, and answers with names only.
"""
