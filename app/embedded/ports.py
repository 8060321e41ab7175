"""Free ports on the loopback, and a plain word when the one that was asked for is taken."""

import socket

from app.embedded.process import EmbeddedError

LOOPBACK = "127.0.0.1"


class PortTakenError(EmbeddedError):
    """The port is in use by another process."""

    def __init__(self, port: int, *, option: str) -> None:
        """``option`` is how to ask for another one, as the person would type it."""
        super().__init__(
            f"Port {port} is in use by another process.", hint=f"Stop that process, or choose another port: {option}."
        )
        self.port = port


def is_free(port: int, *, host: str = LOOPBACK) -> bool:
    """True if nothing listens on ``port``."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that was free a moment ago, chosen by the kernel."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
