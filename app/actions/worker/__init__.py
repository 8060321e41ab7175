"""The verbs of workers: what happens behind a job or a run, where a target is really touched. People's verbs are beside it."""
