"""A network between two addresses that can be cut, as a process of its own: while it is, bytes vanish and nobody is told.

``python -m tests.doubles.relay HOST FROM:TO...`` listens on each port FROM of HOST and passes on to port TO of 127.0.0.1. It
reads ``cut``, ``mend`` and ``lose`` from its standard input, a line each, and ends with it. What was lost is lost: once the network
is mended, a connection with a gap in it is reset, as the servers behind a real one would do.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Talk:
    """What was heard on one connection."""

    has_mark: bool = False
    has_last: bool = False


class Relay:
    """What ``python -m tests.doubles.relay`` runs."""

    def __init__(self) -> None:
        self.is_cut = False
        self.mended = asyncio.Event()
        self.mended.set()
        #: a connection that said the first is reset in place of the answer to the second; once
        self.mark, self.last = b"", b""

    async def link(self, to: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until an end closes it or a byte of it was lost."""
        # who knocks while the network is cut hears nothing
        await self.mended.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        except OSError:
            writer.transport.abort()
            return
        ends = (writer.transport, far_writer.transport)
        talk = Talk()
        there = self.way(reader, far_writer, ends, lambda data: self.hears(talk, data))
        back = self.way(far_reader, writer, ends, lambda _: self.loses(talk))
        await asyncio.gather(there, back, return_exceptions=True)

    async def way(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: tuple[asyncio.WriteTransport, ...],
        is_lost: Callable[[bytes], bool],
    ) -> None:
        """One direction of a connection."""
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.is_cut:
                    break
                if is_lost(data):
                    for end in ends:
                        end.abort()
                    return
                writer.write(data)
                await writer.drain()
        if not self.is_cut:
            writer.close()
            return
        await self.mended.wait()
        for end in ends:
            end.abort()

    def hears(self, talk: Talk, data: bytes) -> bool:
        """Listen to what the server is told; all of it arrives there."""
        if self.mark:
            talk.has_mark = talk.has_mark or self.mark in data
            talk.has_last = talk.has_last or (talk.has_mark and self.last in data)
        return False

    def loses(self, talk: Talk) -> bool:
        """True for the answer that is lost: the server has done what it was told."""
        if not (self.mark and talk.has_last):
            return False
        self.mark = b""
        return True

    def obey(self, word: str) -> None:
        """Do what a line of standard input says."""
        word, _, words = word.partition(" ")
        if word == "lose":
            self.mark, self.last = (part.encode() for part in words.split("|"))
            return
        self.is_cut = word == "cut"
        if self.is_cut:
            self.mended.clear()
        else:
            self.mended.set()


async def serve(host: str, ports: Mapping[int, int]) -> None:
    """Listen until standard input ends."""
    relay = Relay()
    for port, to in ports.items():
        await asyncio.start_server(lambda reader, writer, to=to: relay.link(to, reader, writer), host, port)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await lines.readline():
        relay.obey(line.decode().strip())
        sys.stdout.write("done\n")
        sys.stdout.flush()


class Network:
    """The way to a relay's process: cut it, mend it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._wait()

    def cut(self) -> None:
        """From now on, bytes vanish."""
        self._say("cut")

    def mend(self) -> None:
        """From now on, they arrive; what was lost meanwhile breaks its connection."""
        self._say("mend")

    def lose_answer(self, *, mark: str, to: str) -> None:
        """The next connection that says ``mark`` is reset when the server answers to ``to``: it was done, and nobody heard it."""
        self._say(f"lose {mark}|{to}")

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        self._wait()

    def _wait(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the relay ended"


@contextmanager
def relayed(host: str, ports: Mapping[int, int]) -> Iterator[Network]:
    """A relay while the block runs: each port of ``ports`` on ``host`` leads to a port of 127.0.0.1."""
    pairs = [f"{port}:{to}" for port, to in ports.items()]
    command = [sys.executable, "-m", "tests.doubles.relay", host, *pairs]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Network(process)
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], dict(map(int, pair.split(":")) for pair in sys.argv[2:])))
