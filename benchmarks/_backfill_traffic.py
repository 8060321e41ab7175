"""An application beside the backfill: pgbench on the same table, and what it felt."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from _backfill_ground import Ground

from app.embedded.postgres import client_programs


@dataclass
class Latencies:
    """What an application felt, in milliseconds."""

    p99: float
    longest: float
    count: int


class Traffic:
    """pgbench with 500 transactions a second on the same table, its latencies by scheduled start."""

    SCRIPT = (
        "\\set id random(1, :rows)\n\\set dice random(1, 10)\n\\if :dice <= 7\nSELECT email FROM users WHERE id = :id;\n"
        "\\else\nUPDATE users SET filler = filler WHERE id = :id;\n\\endif\n"
    )

    def __init__(self, ground: Ground, seconds: int) -> None:
        """Runs for so many seconds, or until it is stopped."""
        self.folder = Path(tempfile.mkdtemp(prefix="hg-"))
        (self.folder / "script").write_text(self.SCRIPT)
        command = [client_programs() / "pgbench", "-M", "prepared", "-n", "-R", "500", "-c", "4", "-T", str(seconds), "--log"]
        command += [f"--log-prefix={self.folder / 'log'}", "-D", f"rows={ground.rows}", "-f", str(self.folder / "script")]
        self.process = subprocess.Popen(
            [*map(str, command), ground.dsn()], env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self) -> None:
        """End it and forget its files."""
        self.process.terminate()
        self.process.wait()

    def between(self, start: float, end: float) -> Latencies:
        """Latencies of the transactions that ended between two moments."""
        found = []
        for path in self.folder.glob("log*"):
            for line in path.read_text().splitlines():
                parts = line.split()
                if len(parts) >= 6 and parts[2].isdigit() and start <= int(parts[4]) + int(parts[5]) / 1e6 <= end:  # noqa: PLR2004  # pgbench's log
                    found.append(int(parts[2]) / 1000)
        found.sort()
        return Latencies(
            p99=found[int(len(found) * 0.99)] if found else 0.0, longest=found[-1] if found else 0.0, count=len(found)
        )
