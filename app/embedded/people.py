"""The people of the demo, their generated passwords, and the project that they work in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.client import HeadgateClient, RefusedError
from app.embedded.demo import SignIn
from app.embedded.folder import DataFolder
from app.embedded.shop import ShopDatabase

PROJECT = "Shop"
_ADMIN = ("admin", "Ines Haddad", "ines@shop.example")
_MEMBERS = (
    ("author", "Mara Lindt", "mara@shop.example"),
    ("approver", "Jonas Berg", "jonas@shop.example"),
    ("operator", "Priya Nair", "priya@shop.example"),
)
_JOB_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part, signed in, and where they work."""

    clients: Mapping[str, HeadgateClient]
    project: int
    #: environment -> target id
    targets: Mapping[str, int]

    def __getitem__(self, role: str) -> HeadgateClient:
        """The signed-in client of whoever has the role."""
        return self.clients[role]


def sign_ins(folder: DataFolder) -> list[SignIn]:
    """Everybody, with the passwords that this data folder keeps."""
    return [
        SignIn(name=name, role=role, email=email, password=folder.password(f"person-{role}"))
        for role, name, email in (*_MEMBERS, _ADMIN)
    ]


def is_cast(address: str, folder: DataFolder) -> bool:
    """True where an earlier start made the people already."""
    role, _, email = _ADMIN
    with HeadgateClient(address) as client:
        try:
            client.sign_in(email, folder.password(f"person-{role}"))
        except RefusedError:
            return False
    return True


def make_cast(address: str, folder: DataFolder, shops: Sequence[ShopDatabase]) -> Cast:
    """Make the accounts, the project, its environments and targets, and sign everybody in; through the web alone."""
    people = {person.role: person for person in sign_ins(folder)}
    admin = HeadgateClient(address)
    boss = people["admin"]
    admin.post("/first-admin", {"email": boss.email, "name": boss.name, "password": boss.password})
    admin.sign_in(boss.email, boss.password)
    project = admin.post("/projects", {"name": PROJECT})["id"]
    for role, name, email in _MEMBERS:
        person = {"project_id": project, "email": email, "name": name, "role": role, "password": people[role].password}
        admin.post("/people", person)
    targets = {shop.environment: _add_target(admin, project, shop) for shop in shops}
    clients = {role: HeadgateClient(address).sign_in(people[role].email, people[role].password) for role, _, _ in _MEMBERS}
    return Cast(clients={**clients, "admin": admin}, project=project, targets=targets)


def _add_target(admin: HeadgateClient, project: int, shop: ShopDatabase) -> int:
    production = shop.environment == "production"
    environment = admin.post("/environments", {"project_id": project, "name": shop.environment, "is_production": production})
    target: int = admin.post(
        "/targets", {"environment_id": environment["id"], "name": shop.name.replace("_", "-"), "dsn": shop.owner_dsn}
    )["id"]
    admin.post(f"/targets/{target}/test")
    admin.wait_for(
        f"/targets/{target}",
        lambda seen: seen["last_checked_at"] is not None and seen["schema_fingerprint"] is not None,
        seconds=_JOB_SECONDS,
        what=f"The connection test of {shop.name}",
    )
    return target
