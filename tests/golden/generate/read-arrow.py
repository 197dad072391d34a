"""Prints the rows of an Arrow stream as pyarrow reads them, with the schema: JSON a line."""

import datetime
import decimal
import json
import sys

import pyarrow


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError(type(value))


with pyarrow.ipc.open_stream(open(sys.argv[1], "rb")) as stream:
    print(json.dumps({field.name: str(field.type) for field in stream.schema}, ensure_ascii=False))
    for batch in stream:
        batch.validate(full=True)
        for row in batch.to_pylist():
            print(json.dumps(row, default=plain, ensure_ascii=False))
