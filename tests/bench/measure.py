import time

ROUNDS = 7


def measure(calls, body):
    """Prints the seconds that one call of `body` takes: the least mean over a round of `calls` calls."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.monotonic()
        for _ in range(calls):
            body()
        best = min(best, (time.monotonic() - start) / calls)
    print(f"{best:.9f}")
