#!/usr/bin/python3
"""Runs `swav bench` and its peers in turn and writes the comparison to benchmarks/RESULTS.md; see benchmarks/peers.sh.

Every command is a process of its own. Its peak memory is what the kernel says of it when it has ended (ru_maxrss), so
libraries and the JVM count, for ours and for the peer alike. Measurements are kept in benchmarks/target/peers.json, so
that rows run one after the other end up in one table.
"""
import argparse
import datetime
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SWAV = os.path.join(ROOT, "swav")
TORCH = ["/usr/bin/python3", os.path.join(HERE, "torch_swav.py")]
STORE = os.path.join(ROOT, "benchmarks", "target", "peers.json")
TABLE = os.path.join(ROOT, "benchmarks", "RESULTS.md")
DJL = os.path.join(ROOT, "benchmarks", "djl", "target")
STAMPS = "/usr/share/tuxpaint/stamps"
THREADS = "2"

STEPS = {  # name: options of a step; time and memory to reach, and beyond
    "ResNet-18, 3×3 stem, `2x32,4x16`, batch 64, K 300": (
        "--arch resnet18 --stem small --crops 2x32,4x16 --batch 64 --prototypes 300", 0.85, 0.7),
    "ResNet-20 width 16, grey, `2x28,4x14`, batch 256, K 300": (
        "--arch resnet20 --stem small --channels 1 --crops 2x28,4x14 --batch 256 --prototypes 300", 0.8, 0.6),
    "ResNet-50, 7×7 stem, `2x224,6x96`, batch 8, K 3000, hidden 2048": (
        "--arch resnet50 --stem imagenet --crops 2x224,6x96 --batch 8 --prototypes 3000 --hidden 2048", 0.8, 0.6),
}
SIZES = ("64x300", "256x3000", "512x3000", "4096x3000")
CROPS = ("2x224,6x96", "2x96,4x48")


def run(command, environment=None):
    """The JSON objects a command prints, and its peak memory in MB."""
    prefix = shlex.split(os.environ.get("PREFIX", ""))
    print("$ " + " ".join(shlex.quote(c) for c in command), file=sys.stderr, flush=True)
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(prefix + command, stdout=out, env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        lines = out.read().decode()
    results = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    if process.returncode or not results:
        raise RuntimeError(f"`{' '.join(command)}` ended with status {process.returncode} and no result")
    return results, usage.ru_maxrss * 1024 / 1e6


def ours(*arguments):
    return run([SWAV, "bench", *arguments, "--json"], {"OMP_NUM_THREADS": THREADS, "SWAV_THREADS": THREADS})


def torch(*arguments):
    return run([*TORCH, *arguments, "--threads", THREADS], {"OMP_NUM_THREADS": THREADS})


def in_turn(rounds, contestants):
    """Each contestant once a round: for each, the median over rounds of every number, and of the memory."""
    seen = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            seen[name].append(contestant())
    merged = {}
    for name, runs in seen.items():
        lines = []
        for same in zip(*(results for results, _ in runs)):
            line = dict(same[0])
            for key, value in line.items():
                if isinstance(value, float):
                    line[key] = statistics.median(r[key] for r in same)
            lines.append(line)
        merged[name] = (lines, statistics.median(memory for _, memory in runs))
    return merged


def best_layout(merged, *names):
    return min((merged[n] for n in names), key=lambda m: m[0][0]["median_ms"])


def row(what, our, peer, unit, reach, beyond, higher=False, memory=None, note=""):
    return dict(what=what, ours=our, peer=peer, unit=unit, ratio=our / peer, reach=reach, beyond=beyond, higher=higher,
                memory=memory, note=note, when=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"))


def layouts(options):
    return {"first": lambda: torch("step", *options), "last": lambda: torch("step", *options, "--channels-last")}


def float_steps(a, name):
    """Ours and the peer's two layouts; once for both rows that want them."""
    if name not in a.seen:
        o = [*STEPS[name][0].split(), *a.steps]
        a.seen[name] = in_turn(a.rounds, {"ours": lambda: ours("step", *o, "--no-peak"), **layouts(o)})
    return a.seen[name]


def step(a):
    for name, (_, reach, beyond) in STEPS.items():
        m = float_steps(a, name)
        peer = best_layout(m, "first", "last")
        (us,), memory = m["ours"]
        yield row(f"step, {name}, float", us["median_ms"], peer[0][0]["median_ms"], "ms", reach, beyond,
                  memory=(memory, peer[1]), note="peer channels-last" if peer[0][0]["channels_last"] else "peer channels-first")


def bf16(a):
    for name, (options, _, _) in STEPS.items():
        o = [*options.split(), *a.steps]
        floats = float_steps(a, name)
        m = in_turn(a.rounds, {
            "ours": lambda: ours("step", *o, "--precision", "bf16", "--no-peak"),
            "first bf16": lambda: torch("step", *o, "--bf16"),
            "last bf16": lambda: torch("step", *o, "--bf16", "--channels-last")})
        (us,), memory = m["ours"]
        for what, peer, reach, beyond in (("float", best_layout(floats, "first", "last"), 0.55, 0.4),
                                          ("bf16 autocast", best_layout(m, "first bf16", "last bf16"), None, 0.85)):
            yield row(f"step, {name}, bf16 to the peer's {what}", us["median_ms"], peer[0][0]["median_ms"], "ms", reach,
                      beyond, memory=(memory, peer[1]))


def sinkhorn(a):
    m = in_turn(a.rounds, {"ours": lambda: ours("sinkhorn", "--sizes", ",".join(SIZES)),
                           "peer": lambda: torch("sinkhorn")})
    peers = {f"{r['batch']}x{r['prototypes']}": r["median_ms"] for r in m["peer"][0]}
    times = {(r["form"], f"{r['batch']}x{r['prototypes']}"): r["median_ms"] for r in m["ours"][0]}
    for size in SIZES:
        yield row(f"codes {size.replace('x', '×')}", times["kernel", size], peers[size], "ms", 1.0, 0.5,
                  memory=(m["ours"][1], m["peer"][1]) if size == SIZES[-1] else None)
    for size in SIZES:
        yield row(f"codes {size.replace('x', '×')}, log domain to our kernel form", times["log", size],
                  times["kernel", size], "ms", None, 2.0)


def data(a):
    if not os.path.isdir(STAMPS):
        raise RuntimeError(f"no {STAMPS} (Debian: apt-get install tuxpaint-stamps-default)")
    for crops in CROPS:
        o = ["data", "--crops", crops, "--limit", "60", "--data"]
        m = in_turn(a.rounds, {"ours": lambda: ours(*o, "folder:" + STAMPS), "peer": lambda: torch(*o, STAMPS)})
        yield row(f"60 image files to `{crops}`, one thread", *(m[n][0][0]["images_per_s_per_core"] for n in ("ours", "peer")),
                  "images/s", 1.5, 2.5, higher=True, memory=(m["ours"][1], m["peer"][1]))


def embed(a):
    for batch in ("1", "32"):
        o = ["embed", "--arch", "resnet50", "--stem", "imagenet", "--size", "224", "--batch", batch,
             "--warmup", "3", "--repeats", "30" if batch == "1" else "7"]
        m = in_turn(a.rounds, {"ours": lambda: ours(*o), "first": lambda: torch(*o),
                               "last": lambda: torch(*o, "--channels-last")})
        peer = best_layout(m, "first", "last")
        yield row(f"inference, ResNet-50, 224², batch {batch}", m["ours"][0][0]["images_per_s"], peer[0][0]["images_per_s"],
                  "images/s", 1.3, 2.0, higher=True, memory=(m["ours"][1], peer[1]))


def djl(a):
    jar = os.path.join(DJL, "djl-peer.jar")
    if not os.path.isfile(jar):
        raise RuntimeError(f"no {jar}: build it with ./mvnw -f benchmarks/djl/pom.xml package (downloads 120 MB)")
    o = "--arch resnet18 --stem small --crops 2x32 --batch 64 --prototypes 300".split() + a.steps
    m = in_turn(a.rounds, {
        "ours": lambda: ours("step", *o, "--no-peak"), **layouts(o),
        "djl": lambda: run(["java", "-Xmx2g", "-jar", jar, THREADS, "128"], {"OMP_NUM_THREADS": THREADS})})
    (us,), memory = m["ours"]
    (other,), others = m["djl"]
    torchs = best_layout(m, "first", "last")
    name = "step, ResNet-18, `2x32`, batch 64: "
    yield row(name + f"to DJL {other['djl']} with PyTorch {other['torch']} (trunk and a linear layer only)", us["median_ms"],
              other["median_ms"], "ms", None, None, memory=(memory, others))
    yield row(name + "to PyTorch", us["median_ms"], torchs[0][0]["median_ms"], "ms", None, None, memory=(memory, torchs[1]))


def scaling(a):
    base = "--arch resnet18 --stem small".split() + a.steps + ["--no-peak"]
    cases = {"one": "--crops 2x32,4x16 --batch 32", "batch": "--crops 2x32,4x16 --batch 64",
             "crops": "--crops 4x32,8x16 --batch 32", "many": "--crops 2x32,4x16 --batch 32 --prototypes 30000"}
    m = in_turn(a.rounds, {k: (lambda o=o: ours("step", *base, *o.split())) for k, o in cases.items()})
    ms = {k: v[0][0]["median_ms"] for k, v in m.items()}
    what = "our step, ResNet-18, `2x32,4x16`, batch 32, "
    yield row(what + "batch ×2", ms["batch"], ms["one"], "ms", 2.1, None, memory=(m["batch"][1], m["one"][1]))
    yield row(what + "crops ×2", ms["crops"], ms["one"], "ms", 2.1, None, memory=(m["crops"][1], m["one"][1]))
    yield row(what + "K 300 to 30,000", ms["many"], ms["one"], "ms", None, None, memory=(m["many"][1], m["one"][1]))


ROWS = dict(step=step, bf16=bf16, sinkhorn=sinkhorn, data=data, embed=embed, djl=djl, scaling=scaling)


# ---------------------------------------------------------------- the table
def number(x):
    return f"{x:.3g}" if x < 100 else f"{x:,.0f}"


def verdict(r):
    better = (lambda limit: r["ratio"] >= limit) if r["higher"] else (lambda limit: r["ratio"] <= limit)
    sign = "≥" if r["higher"] else "≤"
    words = []
    for limit, name in ((r["reach"], "reach"), (r["beyond"], "beyond")):
        if limit is not None:
            words.append(f"{'✓' if better(limit) else '✗'} {name} {sign} {limit}")
    return ", ".join(words)


def machine():
    lscpu = dict(line.split(":", 1) for line in subprocess.check_output(["lscpu"], text=True).splitlines() if ":" in line)
    with open("/proc/meminfo") as f:
        total = next(int(line.split()[1]) for line in f if line.startswith("MemTotal"))
    flags = lscpu.get("Flags", "").split()
    sets = " ".join(f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f in flags)
    return f"{lscpu['Model name'].strip()} ({sets}), {os.cpu_count()} cores, {total / 2**20:.0f} GiB"


def blas():
    """The library behind PyTorch's matrix products; None for Debian's default, the reference BLAS, on one thread and 35
    times slower than OpenBLAS here: a comparison with it would be unfair to the peer's head and prototypes."""
    import torch as t
    t.ones(2, 2) @ t.ones(2, 2)
    with open("/proc/self/maps") as f:
        loaded = {os.path.basename(os.path.realpath(line.split()[-1])) for line in f if ".so" in line}
    if any(name.startswith("libblas.so.3.") for name in loaded):  # others go by that name too, but without more numbers
        return None
    return next((n for n in sorted(loaded) if n.startswith(("libopenblas", "libmkl", "libblis", "libatlas"))), "BLAS built in")


def versions():
    doctor = json.loads(subprocess.check_output([SWAV, "doctor", "--json"], text=True))
    import torch as t
    mkl = next((line.strip(" -") for line in t.__config__.show().splitlines() if "MKL-DNN" in line or "oneDNN" in line), "")
    revision = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return (f"swav4j {doctor['swav4j']} ({revision.stdout.strip() or 'no git'}), Java {doctor['java']}, "
            f"oneDNN {doctor['oneDNN_direct']}; PyTorch {t.__version__} ({blas()}{', ' + mkl if mkl else ''})"
            f", Python {sys.version.split()[0]}")


def write(store):
    lines = ["# Beside PyTorch on the same computer", "",
             "Written by `benchmarks/peers.sh`; the peer is `benchmarks/peer/torch_swav.py`, the better of its two layouts"
             " each time. Ours and the peer's processes run in turn, both with 2 threads, random crops in memory. Times are"
             " medians over steps, then over rounds; memory is the whole process's peak, the JVM and Python included.", "",
             f"- Machine: {store['machine']}", f"- Versions: {store['versions']}",
             f"- Load average before the last run: {store['load']}", "",
             "| what | ours | peer | ratio | | memory, MB | ratio | rounds | measured (UTC) |", "|---|---|---|---|---|---|---|---|---|"]
    for rows in (store["rows"].get(name, []) for name in ROWS):
        for r in rows:
            memory = ("", "")
            if r["memory"]:
                memory = (" : ".join(f"{m:,.0f}" for m in r["memory"]), f"{r['memory'][0] / r['memory'][1]:.2f}×")
            lines.append(f"| {r['what']}{' (' + r['note'] + ')' if r['note'] else ''} | {number(r['ours'])} {r['unit']} "
                         f"| {number(r['peer'])} {r['unit']} | {r['ratio']:.2f}× | {verdict(r)} | {memory[0]} | {memory[1]} | {r['rounds']} | {r['when']} |")
    if store["failed"]:
        lines += ["", "Not measured: " + "; ".join(f"{k} ({v})" for k, v in store["failed"].items()) + "."]
    with open(TABLE, "w") as f:
        f.write("\n".join(lines) + "\n")


def main():
    p = argparse.ArgumentParser(prog="peers.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("rows", nargs="*", metavar="ROW", help="of " + ", ".join(ROWS) + "; all if none is given")
    p.add_argument("--rounds", type=int, default=3, help="how often each command is run (3)")
    p.add_argument("--repeats", type=int, default=5, help="steps the median of one run is taken of (5)")
    a = p.parse_args()
    for name in a.rows:
        if name not in ROWS:
            p.error(f"no row '{name}', expected some of {', '.join(ROWS)}")
    if a.rounds < 1 or a.repeats < 1:
        p.error("--rounds and --repeats are at least 1")
    if not blas():
        p.exit(1, "peers: PyTorch multiplies matrices with the reference BLAS here, which would make it look slow"
                  " (Debian: apt-get install libopenblas0-openmp)\n")
    a.seen = {}
    # Ten steps that don't count, on both sides: HotSpot's compiler takes a core from the step in its first seconds.
    a.steps = ["--warmup", "10", "--repeats", str(a.repeats)]
    store = dict(rows={}, failed={})
    if os.path.exists(STORE):
        with open(STORE) as f:
            store = json.load(f)
    store.update(machine=machine(), versions=versions(), load="%.1f %.1f %.1f" % os.getloadavg())
    os.makedirs(os.path.dirname(STORE), exist_ok=True)
    for name in a.rows or ROWS:
        try:
            store["rows"][name] = [{**r, "rounds": a.rounds} for r in ROWS[name](a)]
            store["failed"].pop(name, None)
        except RuntimeError as e:
            print(f"peers: {name}: {e}", file=sys.stderr)
            store["failed"][name] = str(e).replace(ROOT + "/", "")
        with open(STORE, "w") as f:
            json.dump(store, f, indent=1, ensure_ascii=False)
        write(store)
    print(open(TABLE).read())
    return 1 if any(name in store["failed"] for name in a.rows or ROWS) else 0


if __name__ == "__main__":
    sys.exit(main())
