"""One server of a tf.data service. Runs until its standard input ends.

Called as `data_service.py dispatcher` or `data_service.py worker ADDRESS`, with the dispatcher's
address. The system chooses the port. The server prints its address on the first line.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import flatnoise  # noqa: F401  (the workers run its op)

service = tf.data.experimental.service


def start(role, *dispatcher):
    if role == "dispatcher":
        server = service.DispatchServer(service.DispatcherConfig(port=0))
        return server, server.target.partition("://")[2]
    config = service.WorkerConfig(dispatcher_address=dispatcher[0], port=0)
    server = service.WorkerServer(config)
    return server, server._address


if __name__ == "__main__":
    server, address = start(*sys.argv[1:])
    print(address, flush=True)
    sys.stdin.read()
