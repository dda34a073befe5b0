"""Runs every library's cases against servers that are there: a line for each, and how many failed.

    python run.py --default URL --embedder URL --reranker URL [LIBRARY …]

The servers have the default model, one that only embeds, and one that only ranks. Their own routes
say what the libraries must get.
"""

import argparse
import faulthandler
import importlib
import importlib.metadata
import os
import pathlib
import sys
import time
import traceback

import cases
from server import Server

# Libraries that phone home, or look for somebody who traces them.
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGSMITH_TRACING": "false",
    "ANONYMIZED_TELEMETRY": "false",
}

# All of them take a few.
SECONDS = 300


def only_here(event, arguments):
    """A test asks nobody but its own servers."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise ConnectionError(f"a client wanted to connect to {host}")


def main():
    # A client that waits for ever says where.
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ["default", "embedder", "reranker"]:
        parser.add_argument(f"--{name}", required=True, type=Server, metavar="URL")
    parser.add_argument("libraries", nargs="*", metavar="LIBRARY")
    servers = parser.parse_args()
    os.environ.update(QUIET)
    # No proxy leads to a server of a test.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    sys.addaudithook(only_here)

    files = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("with_*.py"))
    passed = failed = 0
    for name in files:
        if servers.libraries and name.removeprefix("with_") not in servers.libraries:
            continue
        cases.CASES.clear()
        start = time.monotonic()
        try:
            library = importlib.import_module(name).LIBRARY
        except Exception:
            print(f"{name}: could not be imported\n{traceback.format_exc()}")
            failed += 1
            continue
        version = importlib.metadata.version(library)
        print(f"{library} {version}, imported in {time.monotonic() - start:.1f} s")
        for title, function in list(cases.CASES):
            try:
                function(servers)
            except cases.Wrong as wrong:
                print(f"  {title}: FAILED: {wrong}")
                failed += 1
            except Exception:
                print(f"  {title}: FAILED\n{traceback.format_exc()}")
                failed += 1
            else:
                print(f"  {title}: ok")
                passed += 1
    print(f"{passed} cases passed, {failed} failed")
    if failed or not passed:
        sys.exit(1)


if __name__ == "__main__":
    main()
