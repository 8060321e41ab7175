"""Questions to a target's rows, read-only, about what only rows can refuse: NULLs, duplicates, orphans, values that don't fit.

An empty shadow takes every constraint; the target with its rows may not. Each statement that depends on the rows gets its
question; a worker asks them with a time limit (app/assessment/ask_rows.py), and what has no answer is "not known".
"""
