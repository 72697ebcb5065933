"""Withholds every field of the conformance messages in turn, and compares the filter with protobuf for Python.

For each payload of the conformance suite and each field: what Python parses from the filter's output must be what it
parses from the payload after clearing that field and everything unknown. Arguments: the testee, the folder with the
contracts, the recorded payloads.
"""

import os
import struct
import subprocess
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

testee, contracts, recorded = sys.argv[1:]


def frames(data):
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


pool = descriptor_pool.DescriptorPool()
files = descriptor_pb2.FileDescriptorSet.FromString(
    subprocess.run([testee, contracts, "descriptors"], check=True, capture_output=True).stdout
)
for file in files.file:
    pool.Add(file)

payloads = {}
parts = list(frames(open(recorded, "rb").read()))
for name, payload in zip(parts[::2], parts[1::2]):
    payloads.setdefault(name.decode(), []).append(payload)


def parse(of, data):
    parsed = of()
    try:
        parsed.ParseFromString(data)
    except message.DecodeError:
        return None
    return parsed


def inner(field, value):
    """The messages that stand in a field."""
    if field.message_type is None:
        return []
    if not field.is_repeated:
        return [value]
    entry = field.message_type
    if entry.GetOptions().map_entry:
        return list(value.values()) if entry.fields_by_name["value"].message_type else []
    return list(value)


def clear(parsed, of, number):
    """Clears the field of that number in every message of that type, and every extension."""
    for field, value in parsed.ListFields():
        if field.is_extension:
            parsed.ClearExtension(field)
        elif field.containing_type.full_name == of.full_name and field.number == number:
            parsed.ClearField(field.name)
        else:
            for each in inner(field, value):
                clear(each, of, number)


def has_groups(parsed):
    """Groups, and what a MessageSet holds, which is written as groups."""
    return any(
        field.is_extension or field.type == field.TYPE_GROUP or any(has_groups(each) for each in inner(field, value))
        for field, value in parsed.ListFields()
    )


def is_refused_on_purpose(of, payload):
    """Groups, and a wire type that is not the field's: Python keeps those as unknown fields, the filter refuses."""
    parsed, clean = parse(of, payload), parse(of, payload)
    clean.DiscardUnknownFields()
    return normal(clean) != normal(parsed) or has_groups(parsed)


def normal(parsed):
    return parsed.SerializePartialToString(deterministic=True)


compared = refused = wrong = 0
for name, inputs in sorted(payloads.items()):
    descriptor = pool.FindMessageTypeByName(name)
    of = message_factory.GetMessageClass(descriptor)
    stdin = b"".join(struct.pack("<I", len(payload)) + payload for payload in inputs)
    for field in descriptor.fields:
        ran = subprocess.run(
            [testee, contracts, "drop", name, str(field.number)], input=stdin, check=True, capture_output=True
        )
        for payload, answer in zip(inputs, frames(ran.stdout), strict=True):
            expected = parse(of, payload)
            if not answer[0]:
                refused += 1
                if expected is not None and not is_refused_on_purpose(of, payload):
                    wrong += 1
                    print(f"{name}: refused what Python reads: {payload.hex()}")
                continue
            compared += 1
            if expected is None:
                wrong += 1
                print(f"{name}: passed what Python refuses: {payload.hex()}")
                continue
            clear(expected, descriptor, field.number)
            expected.DiscardUnknownFields()
            arrived = parse(of, answer[1:])
            if arrived is None or normal(arrived) != normal(expected):
                wrong += 1
                print(f"{name} without {field.name}: differs for {payload.hex()}")
print(f"{compared} comparisons with Python, {refused} payloads refused, {wrong} differences")
if not compared or wrong:
    sys.exit(1)
