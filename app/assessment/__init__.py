"""A plan judged on its target: the analysis, with who is in the way now, what the rows say, and who uses what changes."""
