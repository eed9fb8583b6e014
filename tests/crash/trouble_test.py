#!/usr/bin/env python3
"""Takes from a running server what it stands on, and gives it back: the disk's space, the right to write, the hour.

Meanwhile it answers with an error that says what is wrong and that it may be tried again; nothing that it acknowledged is
lost; and when things are as they were it goes on by itself.

    trouble_test.py build/fixpoint [NAME...]
"""
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from server import JumpingClock, Refused, Server, expect
from work import Work, check_account, check_store, told

HOUR_MS = 3_600_000


def clone(finding, number):
    """Another finding about the same resource: no work of its own, but to be kept."""
    more = dict(finding)
    more["Id"] = f"{finding['Id']}-{number}"
    more["GeneratorId"] = "nobody/asks"
    more["Description"] = "x" * 900
    more["Workflow"] = {"Status": "NOTIFIED"}
    return more


def fill_up(server, finding):
    """Imports until the store refuses; the ids that were acknowledged, and the refusal."""
    acknowledged = []
    for number in range(100_000):
        batch = [clone(finding, f"{number}-{i}") for i in range(20)]
        try:
            server.api("import", Document=batch)
        except Refused as refused:
            return acknowledged, refused
        acknowledged += [one["Id"] for one in batch]
    expect(False, "the store took everything")
    return acknowledged, None


def expect_clear(refused, words):
    expect(refused.status == 503, f"the refusal was {refused}")
    error = refused.answer["Error"]
    expect(error["Code"] in ("StoreError", "ServiceUnavailable"), f"the refusal was {refused}")
    expect(any(word in error["Message"] for word in words), f"the refusal does not say what is wrong: {refused}")


def expect_kept(server, acknowledged, finding):
    for number in range(0, len(acknowledged), 20):
        part = acknowledged[number:number + 20]
        found = server.call("securityhub", "GetFindings", MaxResults=100, Filters={
            "Id": [{"Value": one, "Comparison": "EQUALS"} for one in part],
            "ProductArn": [{"Value": finding["ProductArn"], "Comparison": "EQUALS"}]})["Findings"]
        expect(len(found) == len(part), f"{len(part) - len(found)} acknowledged findings are lost")


def goes_on(work, server, folder, acknowledged):
    """The work of every control, to its end, and the checks of a crash."""
    findings = work.chosen(False)
    server.wait_ended(len(findings))
    check_account(server, findings)
    expect_kept(server, acknowledged, findings[0])
    answers = told(server, findings)
    server.stop()
    check_store(folder, findings, answers)


def without_writing(work, folder, room, stop_writing, write_again, words):
    """Between the two the store cannot be written past `room`, first under imports, then under executions."""
    server = Server(work.program, folder, work.catalog)
    try:
        server.expect_ready()
        findings = work.chosen(False)
        stop_writing(server)
        acknowledged, refused = fill_up(server, findings[0])
        expect_clear(refused, words)
        for _ in range(3):  # still, and it still reads
            try:
                server.api("mode", Mode="auto", Scope="account:" + "9" * 12)
                server.api("import", Document=[clone(findings[0], f"more-{i}") for i in range(50)])
            except Refused as again:
                expect_clear(again, words)
            expect_kept(server, acknowledged, findings[0])
        expect(acknowledged, "nothing was acknowledged before the refusal")
        write_again(server)
        room[0] = 0
        server.api("import", Document=findings)
        stop_writing(server)
        time.sleep(0.5)  # the executions run into it, or have ended already
        expect(server.api("status")["Account"], "it does not read")
        write_again(server)
        goes_on(work, server, folder, acknowledged)
    finally:
        server.close()
    return f"passed: {len(acknowledged)} findings acknowledged before the refusal, all kept"


def full_disk(work, parent):
    """A file system of 24 MB with a file on it that takes the rest (root only)."""
    mounted = os.path.join(parent, "disk")
    os.mkdir(mounted)
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", mounted], check=False,
                                          stderr=subprocess.DEVNULL).returncode != 0:
        return "skipped: a small file system can be mounted by root only"
    ballast = os.path.join(mounted, "ballast")
    room = [2_000_000]  # left at first, so that something is acknowledged before it is full

    def fill(_):
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
            file.truncate(max(0, file.tell() - room[0]))

    try:
        folder = os.path.join(mounted, "data")
        shutil.copytree(work.template, folder)
        return without_writing(work, folder, room, fill, lambda _: os.remove(ballast), ["disk is full"])
    finally:
        # A process that has only just ended may still hold it for a moment.
        if subprocess.run(["umount", mounted], check=False, stderr=subprocess.DEVNULL).returncode != 0:
            subprocess.run(["umount", "-l", mounted], check=False)


def no_writing(work, parent):
    """A limit that the kernel puts on the length of files: every write past it fails, as on a disk that is broken."""
    folder = os.path.join(parent, "unwritable")
    shutil.copytree(work.template, folder)

    room = [1_000_000]

    def limit(server):
        length = os.path.getsize(os.path.join(folder, "fixpoint.db-wal"))
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (length + room[0], resource.RLIM_INFINITY))

    def lift(server):
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    return without_writing(work, folder, room, limit, lift, ["disk I/O error", "disk is full"])


def jumping_clock(work, parent):
    """The clock is set under way: a month forwards, and back to before the start."""
    folder = os.path.join(parent, "jumping")
    shutil.copytree(work.template, folder)
    clock = JumpingClock(parent)
    server = Server(work.program, folder, work.catalog, clock=clock)
    try:
        server.expect_ready()
        findings = work.chosen(False)
        asked = work.findings["Demo.3"]
        others = [finding for finding in findings if finding is not asked]
        server.api("import", Document=others[:3])
        clock.jump_to(-48 * HOUR_MS)
        server.api("import", Document=others[3:5])
        server.wait_ended(5)
        clock.jump_to(24 * 30 * HOUR_MS)
        server.api("import", Document=others[5:])
        server.wait_ended(len(others))
        # What waits for approval is there whatever the clock does, until its own hour.
        server.api("import", Document=[asked])
        wait_asked(server, asked)
        clock.jump_to(24 * 29 * HOUR_MS)
        wait_asked(server, asked)
        clock.jump_to(24 * 30 * HOUR_MS)
        goes_on(work, server, folder, [])
    finally:
        server.close()
    return "passed"


def expired_by_a_jump(work, parent):
    """An approval that a jump of the clock makes too late is expired, once, and says so."""
    folder = os.path.join(parent, "expiry")
    shutil.copytree(work.template, folder)
    clock = JumpingClock(parent)
    server = Server(work.program, folder, work.catalog, clock=clock)
    try:
        server.expect_ready()
        asked = work.findings["Demo.3"]
        server.api("import", Document=[asked])
        execution = wait_asked(server, asked)
        clock.jump_to(24 * 365 * HOUR_MS)
        ended = server.wait_ended(1, approve=False)
        expect([one["Outcome"] for one in ended] == ["expired"], f"it ended as {ended}")
        clock.jump_to(0)
        try:
            server.api("answer", Id=execution["Id"], Approved=True)
            expect(False, "an answer after expiry was taken")
        except Refused as refused:
            expect(refused.status == 409, f"an answer after expiry: {refused}")
    finally:
        server.close()
    return "passed"


def wait_asked(server, finding):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for execution in server.api("executions")["Executions"]:
            if execution["Subject"] == finding["Id"] and execution["Outcome"] == "waits for approval":
                return execution
        time.sleep(0.01)
    expect(False, f"nobody is asked about {finding['Id']}")
    return None


TESTS = {"full_disk": full_disk, "no_writing": no_writing, "jumping_clock": jumping_clock,
         "expired_by_a_jump": expired_by_a_jump}


def main():
    failed = 0
    template = tempfile.TemporaryDirectory(prefix="fixpoint-trouble-")
    work = Work(os.path.abspath(sys.argv[1]), template.name)
    for name in sys.argv[2:] or TESTS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="fixpoint-trouble-") as parent:
            try:
                said = TESTS[name](work, parent)
            except Exception as problem:  # pylint: disable=broad-except
                said = f"FAILED: {type(problem).__name__}: {problem}"
                failed = 1
        print(f"{name:20} {said} ({time.monotonic() - started:.1f} s)", flush=True)
    template.cleanup()
    return failed


if __name__ == "__main__":
    sys.exit(main())
