"""The official Python interop service behind mutual TLS, on a free port, which it prints.

    source.py CERT KEY CLIENT_CA

`PYTHONPATH` has the stubs and the official tests, as `tests/setup` lays them out.
"""

import sys
import threading
from concurrent import futures

import grpc
from src.proto.grpc.testing import test_pb2_grpc
from tests.interop import service


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(certificate, key, client_authority):
    credentials = grpc.ssl_server_credentials(
        [(read(key), read(certificate))], root_certificates=read(client_authority), require_client_auth=True
    )
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    test_pb2_grpc.add_TestServiceServicer_to_server(service.TestService(), server)
    print(server.add_secure_port("127.0.0.1:0", credentials), flush=True)
    server.start()
    threading.Thread(target=lambda: (sys.stdin.read(), server.stop(None))).start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
