"""What watching costs: processor time of the programs of the ground, watched and not, in turns."""
import statistics


def cost_of(ground, entry, rounds):
    """Median seconds of processor time, (watched, unwatched)."""
    with_it, without = [], []
    for _ in range(rounds):
        without.append(ground.processor_s(entry, False))
        with_it.append(ground.processor_s(entry, True))
    return statistics.median(with_it), statistics.median(without)


def tell(programs, rounds):
    """Print what each costs. It is the program that is measured, and its own processes; not muster watch, which makes the page when it is over."""
    shares = []
    for ground, entry in programs:
        watched, unwatched = cost_of(ground, entry, rounds)
        shares.append(watched / unwatched - 1)
        print(f"{entry.name:<28} {ground.libraries.version:<8} {unwatched:6.2f} s {watched:6.2f} s {1000 * (watched - unwatched):+7.1f} ms {100 * shares[-1]:+6.1f} %", flush=True)
    if not shares:
        print("no program was run")
        return False
    print(f"\nmedian over {len(shares)} programs: {100 * statistics.median(shares):+.1f} % processor time")
    return True
