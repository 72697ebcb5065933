"""A source organisation's service, as it is: it answers with more than the asker may have.

    register.py CERT KEY CLIENT_CA

Prints its port. `PYTHONPATH` has the stubs that `tests/setup` makes.
"""

import sys
import threading
from concurrent import futures

import grpc
from werkfit.v1 import uwv_pb2 as contract

DIAGNOSIS = "F33.1 recidiverende depressie"


def answer(request, context):
    for key, value in context.invocation_metadata():
        if key == "fsc-transaction-id":
            print("asked in", value, flush=True)
    return contract.DoelgroepAntwoord(kenmerk=request.kenmerk, telt_mee=True, grond=DIAGNOSIS)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(certificate, key, client_authority):
    credentials = grpc.ssl_server_credentials(
        [(read(key), read(certificate))], root_certificates=read(client_authority), require_client_auth=True
    )
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    method = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=contract.DoelgroepVraag.FromString,
        response_serializer=contract.DoelgroepAntwoord.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler("uwv.doelgroep.v1.Register", {"Zoek": method})
    server.add_generic_rpc_handlers((handler,))
    print(server.add_secure_port("127.0.0.1:0", credentials), flush=True)
    server.start()
    threading.Thread(target=lambda: (sys.stdin.read(), server.stop(None))).start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
