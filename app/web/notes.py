"""What a page says after a form was sent: fixed sentences by name, so that a link can't put words into our mouth."""

NOTES = {
    "signed-out": "You are signed out.",
    "saved": "Saved.",
    "password-changed": "Your password is changed. Every other sign-in of yours was ended.",
    "project-added": "The project is there. Next: add its environments in the order in which changes are promoted.",
    "project-ready": "The project is there, with staging and production. Next: add the database of each.",
    "environment-added": "The environment is there. Next: add the database that belongs to it.",
    "policy-saved": "The policy is saved. It counts for everything that is decided from now on.",
    "plan-imported": "The plan is there as revision 1. Its statements are being analysed.",
    "revision-saved": "Saved as a new revision. Approvals and ticks of the revision before it no longer count.",
    "nothing-changed": "Nothing was different, so there is no new revision.",
    "review-requested": "The plan is in review.",
    "approved": "Your approval is recorded, bound to exactly this revision.",
    "changes-requested": "Your request for changes is recorded; the author sees the reason.",
    "commented": "Your comment is there.",
    "resolved": "The thread is resolved.",
    "ticked": "Ticked, with your name.",
    "withdrawn": "The tick is withdrawn.",
    "overridden": "Overridden, with your name and reason. It stays visible on the plan, the run and in the audit.",
    "accepted": "The finding is accepted in a new revision, with your reason.",
    "recipe-applied": "The statement is replaced by the recipe's steps, in a new revision. It is being analysed.",
    "started": "The run is on its way to a worker.",
    "watch-ended": "The watch is over; the run is completed.",
    "asked": "Asked. It takes hold at the next safe point.",
    "invited": "The account is there. Give the person the one-time password shown below.",
    "role-changed": "The role is changed; it counts from the person's next click.",
    "person-disabled": "The account is closed and its sign-ins are ended.",
    "person-enabled": "The account is open again.",
    "signed-out-elsewhere": "That sign-in is ended.",
    "archived": "The plan is archived. Its history stays.",
}


def note_for(name: str | None) -> str | None:
    """The sentence of that name, or None."""
    return NOTES.get(name or "")
