"""The official Python interop cases through a gateway: their own code, over our mutual TLS and with role assertions.

    client.py GATEWAY CA CERT KEY ASSERTION_KEY KID ROLE PURPOSE

Prints a line a case: its name and `ok`, or what the case itself said.
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
from src.proto.grpc.testing import test_pb2_grpc
from tests.interop import methods

# They ask Google's services who the caller is.
NOT_HERE = {"compute_engine_creds", "oauth2_auth_token", "jwt_token_creds", "per_rpc_creds"}


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Assertion(grpc.AuthMetadataPlugin):
    """A fresh role assertion for every call."""

    def __init__(self, certificate_pem, key_pem, kid, role, purpose):
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        thumbprint = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()
        self.key, self.kid = serialization.load_pem_private_key(key_pem, password=None), kid
        self.claims = {
            "iss": certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value,
            "sub": "a.bakker",
            "aud": "veldwacht",
            "role": role,
            "purpose": purpose,
            "cnf": {"x5t#S256": base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()},
        }

    def __call__(self, context, callback):
        now = int(time.time())
        claims = self.claims | {"iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
        token = jwt.encode(claims, self.key, algorithm="EdDSA", headers={"kid": self.kid})
        callback((("authorization", f"Bearer {token}"),), None)


def main(gateway, ca, cert, key, assertion_key, kid, role, purpose):
    tls = grpc.ssl_channel_credentials(read(ca), read(key), read(cert))
    assertion = Assertion(read(cert), read(assertion_key), kid, role, purpose)
    credentials = grpc.composite_channel_credentials(tls, grpc.metadata_call_credentials(assertion))
    for case in methods.TestCase:
        if case.value in NOT_HERE:
            continue
        with grpc.secure_channel(gateway, credentials) as channel:
            unserved = case is methods.TestCase.UNIMPLEMENTED_SERVICE
            kind = test_pb2_grpc.UnimplementedServiceStub if unserved else test_pb2_grpc.TestServiceStub
            try:
                case.test_interoperability(kind(channel), None)
                print(case.value, "ok", flush=True)
            except Exception as error:  # whatever a case says is what this prints
                print(case.value, " ".join(str(error).split()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
