"""The demo: the embedded stack, the sample shop with its traffic, and the people and plans of the story."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.embedded.folder import write_private
from app.embedded.postgres import NotAvailableError
from app.embedded.shop import PRODUCTION, ShopDatabase, build_shop
from app.embedded.stack import Stack

TRAFFIC_REPORT = "traffic.json"
PLAN_FILE = Path(__file__).with_name("plans") / "add_user_roles.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A person of the demo, with the generated password."""

    name: str
    role: str
    email: str
    password: str


def start_demo(stack: Stack) -> tuple[ShopDatabase, ...]:
    """Start the stack, the shop and its traffic; return the shop's databases. The figures of the traffic: ``traffic.json``."""
    stack.start(with_postgres=True)
    if stack.postgres is None:
        raise NotAvailableError
    stack.say("Building the sample shop.")
    shops = build_shop(stack.postgres, stack.folder)
    start_traffic(stack, shops)
    return shops


def start_traffic(stack: Stack, shops: Sequence[ShopDatabase]) -> None:
    """Start the shop's application against production, supervised like the rest."""
    production = next(shop for shop in shops if shop.environment == PRODUCTION.environment)
    dsn_file = stack.folder.path / "kept" / "traffic-dsn"
    write_private(dsn_file, production.application_dsn)
    stack.start_python("traffic", ["app.embedded.traffic", str(dsn_file), str(stack.folder.path / TRAFFIC_REPORT)])


def welcome(address: str, people: Sequence[SignIn]) -> str:
    """What is printed when the demo is ready."""
    width = max((len(person.email) for person in people), default=0)
    lines = [f"  {person.role:<9} {person.email:<{width}}  {person.password}" for person in people]
    return "\n".join(
        [
            f"Headgate's demo is ready: {address}",
            "Sign in as",
            *lines,
            'The plan "Add user roles" awaits review. Ctrl-C ends everything; the same command goes on with the data.',
        ]
    )
