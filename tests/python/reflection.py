"""Asks a gateway what there is for a caller, as tools do that know no contract: grpcio-reflection, over mutual TLS.

    reflection.py GATEWAY PKI SYSTEM MESSAGE

Prints the services, one a line, then the fields of a message as the gateway describes it, and the options on them.
"""

import os
import sys

import grpc
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def main(gateway, pki, system, message):
    def read(name):
        with open(os.path.join(pki, name), "rb") as file:
            return file.read()

    credentials = grpc.ssl_channel_credentials(read("gateway-ca.pem"), read(f"{system}.key.pem"), read(f"{system}.pem"))
    with grpc.secure_channel(gateway, credentials) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        for service in database.get_services():
            print(service)
        pool = descriptor_pool.DescriptorPool(database)
        for service in database.get_services():
            if service.startswith("veldwacht."):
                methods = pool.FindServiceByName(service).methods
                print(service, *(f"{method.name}({method.input_type.name})" for method in methods))
        try:
            fields = pool.FindMessageTypeByName(message).fields
        except KeyError:
            print(f"{message} is not there")
            return
        for field in fields:
            print(f"{message}.{field.name} = {field.number} [{len(field.GetOptions().SerializeToString())}]")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
