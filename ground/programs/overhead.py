"""What watching costs: processor time of the programs of the ground, watched and not, in turns."""
import statistics


def cost_of(ground, entry, rounds):
    """Median seconds of processor time, (watched, unwatched)."""
    with_it, without = [], []
    for _ in range(rounds):
        without.append(ground.unwatched(entry).cpu_s)
        with_it.append(ground.watched(entry)[0].cpu_s)
    return statistics.median(with_it), statistics.median(without)


def tell(programs, rounds):
    """Print what each costs. The page that is made at the end is part of it, and told apart by the command's own start, which all have."""
    shares = []
    for ground, entry in programs:
        watched, unwatched = cost_of(ground, entry, rounds)
        shares.append(watched / unwatched - 1)
        print(f"{entry.name:<28} {ground.libraries.version:<8} {unwatched:6.2f} s {watched:6.2f} s {100 * shares[-1]:+6.1f} %", flush=True)
    if not shares:
        print("no program was run")
        return False
    print(f"\nmedian over {len(shares)} programs: {100 * statistics.median(shares):+.1f} % processor time")
    return True
