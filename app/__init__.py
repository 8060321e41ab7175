"""Headgate: the control room for PostgreSQL migrations.

The journey is the folder list: ``importing`` (files become a ``plan``) -> ``analysis`` (risk, rollback) -> ``rehearsal`` (on a
shadow) -> ``review`` (approvals, checklist) -> ``run`` and ``engine`` (``steps``, ``backfill``, ``backup``) -> ``verification``
-> ``monitoring``. Below them lie ``sql`` (the parser), ``target`` and ``catalog`` (the only doors to a target database); above
them ``store`` (Headgate's own database), ``actions`` (everything a person can do, one verb a module), and the edges ``web``,
``cli`` and ``embedded``.
"""
