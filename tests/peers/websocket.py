"""WebSocket through whatever is in between, in plain bytes: websocket.py ADDRESS. RFC 6455."""
import base64
import os
import socket
import struct
import sys


def frame(op, payload):
    """A masked frame. The mask is zero: proxies do not look."""
    n = len(payload)
    if n < 126:
        head = bytes([0x80 | op, 0x80 | n])
    elif n < 65536:
        head = bytes([0x80 | op, 0xFE]) + struct.pack(">H", n)
    else:
        head = bytes([0x80 | op, 0xFF]) + struct.pack(">Q", n)
    return head + bytes(4) + payload


def receive(stream):
    first, second = stream.read(2)
    n = second & 0x7F
    if n == 126:
        n = struct.unpack(">H", stream.read(2))[0]
    elif n == 127:
        n = struct.unpack(">Q", stream.read(8))[0]
    return first & 0x0F, stream.read(n)


host, port = sys.argv[1].rsplit(":", 1)
peer = socket.create_connection((host, int(port)), timeout=10)
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
stream = peer.makefile("rb")
key = base64.b64encode(os.urandom(16)).decode()
peer.sendall(
    f"GET /ws HTTP/1.1\r\nHost: {sys.argv[1]}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
)
line = stream.readline()
assert line.startswith(b"HTTP/1.1 101"), line
while stream.readline() != b"\r\n":
    pass
for op, payload in ((1, b"hello"), (1, b""), (2, os.urandom(1 << 20)), (1, "\u4e2d".encode() * 30_000)):
    peer.sendall(frame(op, payload))
    assert receive(stream) == (op, payload)
# Many small ones at once, and a ping between them.
peer.sendall(b"".join(frame(1, b"%d" % i) for i in range(500)) + frame(9, b"ping"))
heard = [receive(stream) for _ in range(501)]
assert [text for op, text in heard if op == 1] == [b"%d" % i for i in range(500)]
assert [text for op, text in heard if op == 10] == [b"ping"]
peer.sendall(frame(8, struct.pack(">H", 1000)))
assert receive(stream) == (8, struct.pack(">H", 1000))
assert stream.read() == b""
