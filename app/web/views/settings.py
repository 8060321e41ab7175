"""One's own account as its page shows it."""

import re

#: what a program says of itself -> its name; the first that fits: nearly all of them also say Chrome and Safari
_PROGRAMS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Windows", "Windows"),
    ("Linux", "Linux"),
)
_LONGEST = 60


def program_of(user_agent: str) -> str:
    """The program in a few words: ``Firefox 140 on Linux``; one that is no browser as it names itself."""
    system = next((name for word, name in _SYSTEMS if word in user_agent), "")
    for word, name in _PROGRAMS:
        if found := re.search(re.escape(word) + r"(\d+)", user_agent):
            return f"{name} {found[1]}" + (f" on {system}" if system else "")
    return user_agent.partition(" ")[0][:_LONGEST] or "unknown program"
