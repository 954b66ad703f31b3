"""bench.lua for PyTorch: `python FILE.py THREADS [NAME...]`."""
import gc
import math
import re
import sys
import time

import torch

ROUNDS, ROUND = 7, 0.03

torch.set_num_threads(int(sys.argv[1]))
wanted = set(sys.argv[2:])


def time_of(body, calls):
    start = time.monotonic()
    for _ in range(calls):
        body()
    return time.monotonic() - start


def bench(name, setup):
    if wanted and name not in wanted:
        return
    torch.manual_seed(1)
    body = setup()
    calls = 1
    while (took := time_of(body, calls)) < ROUND:
        calls = math.ceil(calls * min(100, 1.2 * ROUND / took))
    print(name, f"{min(time_of(body, calls) / calls for _ in range(ROUNDS)):.9f}", flush=True)
    gc.collect()


def finish():
    print(int(re.search(r"VmHWM:\s*(\d+) kB", open("/proc/self/status").read()).group(1)) / 1024, "MB")
