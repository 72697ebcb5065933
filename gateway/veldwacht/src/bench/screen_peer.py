"""The peer of `bench screen`: DEDUCE (PyPI `deduce`) over the same texts, one JSON string a line on standard input.

Prints MB of text a second of CPU time. Exit status 3: DEDUCE is not installed for this python.
"""
import json
import sys
import time

try:
    from deduce import Deduce
except ImportError:
    sys.exit(3)

texts = [json.loads(line) for line in sys.stdin]
model = Deduce()
model.deidentify(texts[0])
start, done = time.process_time(), 0
for text in texts:
    model.deidentify(text)
    done += len(text.encode())
    if time.process_time() - start > 5:
        break
print(done / 1e6 / (time.process_time() - start))
