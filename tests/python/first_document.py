"""Sends one document to a gateway and prints who will get what of it. Ordinary grpcio, nothing of ours but the contract.

    first_document.py GATEWAY CA CERT KEY ASSERTION_KEY KID ROLE PURPOSE CLIENT RECEIVER TYPE FILE

Certificates and keys are PEM files, RECEIVER is OIN:ROLE, FILE is the serialised document.
"""

import base64
import hashlib
import sys
import time
import uuid

import grpc
import jwt  # PyJWT
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID
from google.rpc import error_details_pb2, status_pb2

from veldwacht.exchange.v1 import exchange_pb2, exchange_pb2_grpc


def read(path):
    with open(path, "rb") as file:
        return file.read()


def assertion(certificate_pem, key_pem, kid, role, purpose):
    """Who acts, in which role, for what: signed by the organisation, bound to the certificate, five minutes."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    oin = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value
    thumbprint = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()
    now = int(time.time())
    claims = {
        "iss": oin,
        "sub": "a.bakker",
        "aud": "veldwacht",
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
        "role": role,
        "purpose": purpose,
        "cnf": {"x5t#S256": base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()},
    }
    key = serialization.load_pem_private_key(key_pem, password=None)
    algorithm = "EdDSA" if type(key).__name__.startswith("Ed25519") else "ES256"
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def main(gateway, ca, cert, key, assertion_key, kid, role, purpose, client, receiver, type_name, file):
    credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(cert))
    oin, receiver_role = receiver.split(":")
    request = exchange_pb2.SendRequest(
        client_bsn=client,
        message_type=type_name,
        document=read(file),
        receivers=[exchange_pb2.Party(oin=oin, role=receiver_role)],
    )
    token = assertion(read(cert), read(assertion_key), kid, role, purpose)
    with grpc.secure_channel(gateway, credentials) as channel:
        service = exchange_pb2_grpc.ExchangeServiceStub(channel)
        try:
            response = service.Send(request, metadata=[("authorization", f"Bearer {token}")], timeout=10)
        except grpc.RpcError as error:
            return explain(error)
    for outcome in response.outcomes:
        passed = ", ".join(f"{cell.count} x {cell.cls}" for cell in named(outcome.delivered.passed))
        print(f"{outcome.receiver.oin}:{outcome.receiver.role} will get {passed}")
    print(f"record {response.record_index}, exchange {response.exchange_id}")
    return 0


def named(cells):
    """`class` is a word of Python's own, so the field is read by name."""
    for cell in cells:
        yield type("Cell", (), {"count": cell.count, "cls": getattr(cell, "class")})


def explain(error):
    """What is wrong, and where: never guess from the text, the details are made for programs."""
    print(f"{error.code().name}: {error.details()}", file=sys.stderr)
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
                message = kind()
                if detail.Unpack(message):
                    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 13:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
