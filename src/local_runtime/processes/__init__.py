"""The processes of a run: started with an environment of their own, watched, and stopped without a trace."""
