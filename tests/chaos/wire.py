"""The network of one worker, apart from everybody else's, and how it is cut.

Where we are root on Linux it is a real one: a namespace of its own, joined to ours by a pair of virtual cables, and cut by a wrong
hardware address on both ends, so that packets leave and arrive nowhere. Elsewhere it is a relay that loses what it is given.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.doubles.relay import relayed

NOWHERE = "02:00:00:00:00:01"
WIRES = ("namespace", "relay")


@dataclass(frozen=True, kw_only=True)
class Wire:
    """One worker's own way to the servers."""

    #: where the servers' ports are found by it
    address: str
    #: what its command begins with
    prefix: tuple[str, ...]
    cut: Callable[[], None]
    mend: Callable[[], None]

    def environment(self, stack: Mapping[str, str]) -> dict[str, str]:
        """What tells a worker where it finds the servers; libpq takes the address from PGHOSTADDR."""
        broker = stack["HEADGATE_REDIS_URL"].replace("127.0.0.1", self.address)
        return {"PGHOSTADDR": self.address, "HEADGATE_REDIS_URL": broker}


def can_make_namespaces() -> bool:
    """True where a real network can be had."""
    return os.geteuid() == 0 and shutil.which("ip") is not None and _try("netns", "list")


@contextmanager
def wire(kind: str, ports: tuple[int, ...]) -> Iterator[Wire]:
    """A wire to these ports of 127.0.0.1."""
    make = {"namespace": _namespace, "relay": _relay}[kind]
    with make(ports) as made:
        yield made


@contextmanager
def _relay(ports: tuple[int, ...]) -> Iterator[Wire]:
    address = "127.0.0.2"
    with relayed(address, {port: port for port in ports}) as network:
        yield Wire(address=address, prefix=(), cut=network.cut, mend=network.mend)


@contextmanager
def _namespace(ports: tuple[int, ...]) -> Iterator[Wire]:
    name = f"hg{os.getpid()}"
    here, there = f"{name}a", f"{name}b"
    ours, theirs = (f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}.{host}" for host in (1, 2))

    def cut() -> None:
        _ip("-n", name, "neigh", "replace", ours, "lladdr", NOWHERE, "nud", "permanent", "dev", there)
        _ip("neigh", "replace", theirs, "lladdr", NOWHERE, "nud", "permanent", "dev", here)

    def mend() -> None:
        _ip("-n", name, "neigh", "del", ours, "dev", there)
        _ip("neigh", "del", theirs, "dev", here)

    _ip("netns", "add", name)
    try:
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _ip("addr", "add", f"{ours}/30", "dev", here)
        _ip("link", "set", here, "up")
        _ip("-n", name, "addr", "add", f"{theirs}/30", "dev", there)
        _ip("-n", name, "link", "set", there, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        with relayed(ours, {port: port for port in ports}):
            yield Wire(address=ours, prefix=(shutil.which("ip") or "ip", "netns", "exec", name), cut=cut, mend=mend)
    finally:
        _try("link", "del", here)
        _ip("netns", "del", name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def _try(*arguments: str) -> bool:
    return subprocess.run(["ip", *arguments], check=False, capture_output=True).returncode == 0
