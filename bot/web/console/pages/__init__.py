"""The pages of the console, one module each; what stands here with a `router` is served."""
