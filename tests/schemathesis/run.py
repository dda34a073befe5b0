"""Asks a host what its document says may be asked, and holds the answers to the document.

    python run.py http://127.0.0.1:8000 --calls 1000

Ends with a line that says how many calls were made, and fails at the first round that finds a
fault. From 5,000 calls on, every boundary of every schema is asked as well, which takes minutes.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
BOUNDARIES_FROM = 5_000


def round_of(base: str, calls: int, seed: int, phases: str, folder: pathlib.Path) -> dict:
    """One run of schemathesis; what it counted."""
    with_url = f"{base}/openapi.json"
    report = folder / "report.json"
    command = [sys.executable, "-m", "schemathesis.cli"]
    command += ["--config-file", str(HERE / "schemathesis.toml"), "run", with_url]
    command += ["--phases", phases, "--seed", str(seed), "--max-examples", str(calls)]
    command += ["--continue-on-failure", "--no-color"]
    command += ["--report", "json", "--report-json-path", str(report)]
    # It keeps what it found earlier in its folder, which another run must not depend on.
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        print(ended.stdout, ended.stderr, sep="\n")
        sys.exit(f"schemathesis: faults with --seed {seed}")
    return json.loads(report.read_text())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("base", help="where the host answers")
    arguments.add_argument("--calls", type=int, default=1_000, help="how many to make, at least")
    arguments.add_argument("--seed", type=int, default=1, help="of the first round")
    asked = arguments.parse_args()
    base = asked.base.rstrip("/")
    phases = "examples,fuzzing" if asked.calls < BOUNDARIES_FROM else "examples,coverage,fuzzing"

    calls, seed, operations = 0, asked.seed, 36
    # A proxy of the machine's would be asked for a host that is on the machine.
    os.environ["NO_PROXY"] = "*"
    with tempfile.TemporaryDirectory() as folder:
        while calls < asked.calls:
            each = min(500, -(-(asked.calls - calls) // operations))
            found = round_of(base, each, seed, phases, pathlib.Path(folder))
            made = found["test_cases"]["generated"]
            if not made or not found["complete"]:
                sys.exit("schemathesis: a round made no calls, or was not finished")
            operations = found["operations"]["tested"]
            calls, seed, phases = calls + made, seed + 1, "fuzzing"
    print(f"schemathesis: {calls} calls of {operations} operations, no fault")


if __name__ == "__main__":
    main()
