"""The verbs about backups for the table in test_rights.py: the least who may, and how each is called."""

from collections.abc import Callable
from typing import Any

from app.actions.cancel_backup import cancel_backup
from app.actions.cancel_restore import cancel_restore
from app.actions.name_sessions import name_sessions
from app.actions.prove_backup import prove_backup
from app.actions.restore_backup import restore_backup
from app.actions.swap_database import swap_database
from app.actions.take_backup import take_backup
from app.actions.verify_backup import verify_backup
from app.actions.work import Work

BACKUP_VERBS: dict[str, tuple[str, Callable[[Work, Any], Any]]] = {
    "take_backup": ("operator", lambda w, i: take_backup(w, target_id=i.target)),
    "cancel_backup": ("operator", lambda w, i: cancel_backup(w, backup_id=i.backup)),
    "verify_backup": ("operator", lambda w, i: verify_backup(w, backup_id=i.backup)),
    "prove_backup": ("operator", lambda w, i: prove_backup(w, backup_id=i.backup)),
    "restore_backup": (
        "operator",
        lambda w, i: restore_backup(w, backup_id=i.backup, new_database="shop_old", confirmation="shop_old"),
    ),
    "cancel_restore": ("operator", lambda w, i: cancel_restore(w, restore_id=i.restore)),
    "name_sessions": ("operator", lambda w, i: name_sessions(w, restore_id=i.restore)),
    "swap_database": (
        "operator",
        lambda w, i: swap_database(w, restore_id=i.restore, confirmation="shop-production", end_sessions=True),
    ),
}
