#!/usr/bin/env python3
"""Kills the server with SIGKILL at its named places (src/base/fault.h), again and again, and starts it again.

In each life findings are mended by controls in the embedded account (one of them asks for approval) and by a function,
in some of them what was done is taken back, and the server is killed several times at a place and a hit of it that a seed chooses. Then it is let run to the end, and:
each finding is RESOLVED, by exactly one entry in its history; each execution has succeeded; the account has had each
changing call exactly once, as the embedded account itself counts them; the journal has each as done, with the state
before all; and the account passes every check.

    crash_test.py build/fixpoint [--kills N] [--seconds N] [--seed N] [--life N] [--jobs N]
"""
import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time

from server import Failure, Server, expect
from work import Work, check_account, check_store, do_all, told

POINTS = [
    "import.in_commit", "bus.delivered", "import.after_commit", "approval.asked", "approval.answered",
    "door.intent_stored", "door.call_made", "door.result_stored", "executor.before_commit", "finding.updated",
    "executor.in_commit", "executor.after_commit", "store.before_commit", "store.after_commit",
]
FUNCTION_POINTS = ["function.called", "function.returned"]
FUNCTION_EVERY = 8  # lives: a handler takes far longer to start than a server
UNDO_EVERY = 3  # lives: of those that take back what they did
KILLS_A_LIFE = 8
HITS = [1, 1, 1, 2, 2, 3, 3, 4, 5, 7]
# Come to once in a life's work, so that a second hit would never be.
ONCE = {"import.in_commit", "import.after_commit", "approval.asked", "approval.answered", "function.called",
        "function.returned"}
OVER = multiprocessing.Event()  # lives that have begun end by themselves: a server is never left behind
AT_IMPORT = {"import.in_commit", "bus.delivered", "import.after_commit"}  # not come to once the findings are taken in


def one_life(work, seed, number):
    """(kills by point, what was wrong or "")"""
    choose = random.Random(seed * 1_000_003 + number)
    with_function = number % FUNCTION_EVERY == 0
    points = POINTS + FUNCTION_POINTS * 2 if with_function else POINTS
    # The first place of a life goes round, so that none is left to luck.
    first = (POINTS + FUNCTION_POINTS)[number // FUNCTION_EVERY % 16] if with_function else POINTS[number % len(POINTS)]
    findings = work.chosen(with_function)
    undoes = number % UNDO_EVERY == 1
    kills = {}
    tried = []
    with tempfile.TemporaryDirectory(prefix="fixpoint-crash-") as parent:
        folder = os.path.join(parent, "data")
        shutil.copytree(work.template, folder)
        try:
            imported = False
            for turn in range(KILLS_A_LIFE):
                point = first if turn == 0 else choose.choice([p for p in points if not imported or p not in AT_IMPORT])
                hits = [1] if point in ONCE else HITS[:5] if turn == 0 else HITS
                fault = f"{point}:{choose.choice(hits)}"
                tried.append(fault)
                killed, imported, over = run_until_killed(work, folder, findings, fault, imported, undoes)
                if killed:
                    name = fault.split(":")[0]
                    kills[name] = kills.get(name, 0) + 1
                if over:
                    break
            server = Server(work.program, folder, work.catalog)
            try:
                server.expect_ready()
                if not imported:
                    take_in(work, server, findings)
                do_all(work, server, findings, undoes)
                check_account(server, findings, undoes)
                answers = told(server, findings)
                server.stop()
            finally:
                server.close()
            check_store(folder, findings, answers, undoes)
        except Exception as problem:  # pylint: disable=broad-except
            return kills, f"life {number}, {' then '.join(tried)}: {type(problem).__name__}: {problem}"
    return kills, ""


def take_in(work, server, findings):
    """An import whose answer was lost is made again: the same work is done once. For a function, that may run several
    times for one event, it is looked first whether the findings are there, as a careful sender does."""
    if work.handled in findings:
        there = server.call("securityhub", "GetFindings",
                            Filters={"Id": [{"Value": work.handled["Id"], "Comparison": "EQUALS"}]})["Findings"]
        if there:
            return
    server.api("import", Document=findings)


def run_until_killed(work, folder, findings, fault, imported, undoes):
    """(whether the fault ended it, whether the findings are taken in, whether all is done)"""
    server = Server(work.program, folder, work.catalog, fault)
    try:
        if server.ready:
            try:
                if not imported:
                    take_in(work, server, findings)
                    imported = True
                do_all(work, server, findings, undoes)
                server.stop()
                return False, True, True
            except OSError:
                pass  # it ended
        expect(server.killed(), f"the server ended with {server.process.returncode}, not by {fault}")
        return True, imported, False
    finally:
        server.close()


def live(task):
    return ({}, "") if OVER.is_set() else one_life(*task)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=1000, help="end after so many")
    parser.add_argument("--seconds", type=int, default=0, help="end after so long, whatever --kills says")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--life", type=int, help="only this one, as a failure names it")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    started = time.monotonic()
    totals = dict.fromkeys(POINTS + FUNCTION_POINTS, 0)
    failures = lives = 0
    numbers = [given.life] if given.life is not None else range(5000)
    with tempfile.TemporaryDirectory(prefix="fixpoint-crash-") as folder, multiprocessing.Pool(given.jobs) as pool:
        work = Work(os.path.abspath(given.program), folder)
        for kills, wrong in pool.imap_unordered(live, [(work, given.seed, number) for number in numbers]):
            lives += 1 if kills or not OVER.is_set() else 0
            for point, count in kills.items():
                totals[point] += count
            if wrong:
                failures += 1
                print("FAILED " + wrong, flush=True)
            took = time.monotonic() - started
            if failures >= 10 or sum(totals.values()) >= given.kills or (given.seconds and took > given.seconds):
                OVER.set()
    took = time.monotonic() - started
    for point, count in totals.items():
        print(f"{point:24} {count:5}")
    count = sum(totals.values())
    missed = [point for point, hits in totals.items() if hits == 0]
    if missed and not given.seconds and given.life is None:
        print("FAILED: nothing was killed at " + ", ".join(missed))
        failures += 1
    print(f"{count} kills in {lives} lives, {failures} failures, {took:.0f} s ({count / took:.1f} kills a second), "
          f"seed {given.seed}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
