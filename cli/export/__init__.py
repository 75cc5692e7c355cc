"""A candidate's networks as a folder that needs nothing of paretofarm."""
