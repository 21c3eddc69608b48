"""Reference values for `routing::erlang`, as CSV on standard output. See README.md.

Erlang C comes from pyworkforce; Erlang A, which that package hasn't, from the stationary state of the birth-death
process in 50 digits, with the wait of a call that finds j others waiting as a beta distribution.
"""

import mpmath as mp
from pyworkforce.queuing import ErlangC

mp.mp.dps = 50


def erlang_a(calls_per_hour, handling_s, agents, patience_s, target_s):
    arrival, mu, theta = mp.mpf(calls_per_hour) / 3600, 1 / mp.mpf(handling_s), 1 / mp.mpf(patience_s)
    weight, states = mp.mpf(1), [mp.mpf(1)]
    k = 0
    while True:
        k += 1
        weight *= arrival / (min(k, agents) * mu + max(k - agents, 0) * theta)
        states.append(weight)
        if k > agents and weight < mp.mpf(10) ** -40 * max(states):
            break
    total = mp.fsum(states)
    busy = [state / total for state in states[agents:]]
    queue = mp.fsum(j * p for j, p in enumerate(busy))
    c, x = agents * mu / theta, 1 - mp.e ** (-theta * target_s)
    answered = 1 - mp.fsum(busy) + mp.fsum(
        p * c / (c + j + 1) * mp.betainc(j + 1, c + 1, 0, x, regularized=True)
        for j, p in enumerate(busy) if p > mp.mpf(10) ** -25
    )
    return mp.fsum(busy), theta * queue / arrival, queue / arrival, answered


def row(*values):
    print(",".join(v if isinstance(v, str) else repr(float(v)) for v in values))


print("kind,calls_per_hour,handling_s,agents,patience_s,target_s,wait_probability,service_level,abandoned,mean_wait_s,agents_needed")
for calls, handling, target in [(100, 180, 20), (240, 240, 20), (900, 300, 20), (60, 600, 60), (5000, 200, 10), (12, 90, 5), (20000, 420, 30)]:
    load = calls * handling / 3600
    for spare in (0.1, 0.5, 1, 2, 3):
        agents = int(load + spare * load**0.5) + 1
        pool = ErlangC(transactions=calls, aht=handling / 60, asa=target / 60, interval=60, shrinkage=0.3)
        wait = pool.waiting_probability(agents)
        needed = pool.required_positions(service_level=0.8, max_occupancy=0.9)["raw_positions"]
        row("C", calls, handling, agents, "", target, wait, pool.service_level(agents), "", wait * handling / (agents - load), needed)
for calls, handling, agents, patience, target in [
    (720, 300, 60, 180, 20), (720, 300, 60, 60, 20), (720, 300, 50, 180, 20), (720, 300, 70, 180, 20), (100, 180, 4, 600, 30),
    (12, 90, 1, 45, 5), (30, 240, 1, 10, 20), (5000, 200, 250, 120, 10), (300, 300, 40, 1, 20), (240, 240, 12, 20000, 20),
]:
    wait, abandoned, mean, answered = erlang_a(calls, handling, agents, patience, target)
    row("A", calls, handling, agents, patience, target, wait, answered, abandoned, mean, "")
