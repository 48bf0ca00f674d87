"""Peers that misbehave below HTTP's manners: a thread each, on a port of its own."""

import contextlib
import gzip
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator

BOMB = gzip.compress(bytes(200 * 1024 * 1024), 9)
AWAY = b"/again"


def loop_of_redirects(peer: socket.socket, _path: bytes) -> None:
    """Send the client round and round."""
    peer.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + AWAY + b"\r\nContent-Length: 0\r\n\r\n")


def gzip_bomb(peer: socket.socket, _path: bytes) -> None:
    """Send 200 MB of nothing in 200 KB."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Encoding: gzip\r\n"
    peer.sendall(head + b"Content-Length: %d\r\n\r\n" % len(BOMB) + BOMB)


def reset_in_the_body(peer: socket.socket, _path: bytes) -> None:
    """Promise much, send little, then reset the connection."""
    peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"resourceType":')
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def never_an_answer(peer: socket.socket, _path: bytes) -> None:
    """Take the question and say nothing until the client leaves."""
    while peer.recv(4096):
        pass


def one_byte_at_a_time(peer: socket.socket, _path: bytes) -> None:
    """Answer so slowly that only a limit in wall-clock time ends it."""
    left = threading.Event()
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100_000):
        peer.sendall(b" ")
        left.wait(0.2)


SCRIPTS: dict[str, Callable[[socket.socket, bytes], None]] = {
    "redirect-loop": loop_of_redirects,
    "gzip-bomb": gzip_bomb,
    "reset-mid-body": reset_in_the_body,
    "never-answers": never_an_answer,
    "drip": one_byte_at_a_time,
}


class Peer:
    """What one peer was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.paths: list[bytes] = []


@contextlib.contextmanager
def scripted(script: Callable[[socket.socket, bytes], None]) -> Iterator[Peer]:
    """Run a peer that treats every request so."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                head = self.request.recv(65536)
                if head:
                    path = head.split(b" ", 2)[1]
                    told.paths.append(path)
                    script(self.request, path)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        told = Peer(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
