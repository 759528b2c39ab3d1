"""The pages that patients read, besides the chat itself."""
