"""Runs the tests of this folder with the interpreter that runs this file: run.py [unittest's names...].

Ends with the operations that the tests called with success and with failure, a service a line, and
`N passed, N failed, N skipped`. Exit status 1 where one failed.
"""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

try:
    import boto3
except ImportError:
    print("skipped: this Python has no boto3: " + sys.executable)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import support


class Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    print("boto3 %s, %s" % (boto3.__version__, support.aws_version() or "no aws command"))
    sys.stdout.flush()
    loader = unittest.TestLoader()
    if not os.path.exists(support.BINARY):
        print("skipped: %s is not built" % support.BINARY)
        print("0 passed, 0 failed, 1 skipped")
        return 0
    suite = loader.loadTestsFromNames(sys.argv[1:]) if sys.argv[1:] else loader.discover(HERE, "test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    print("called with boto3 (succeeded / refused):")
    for line in support.coverage_lines():
        print("  " + line)
    failed = len(result.failures) + len(result.errors)
    own = support.own_operations()
    for service, operations in sorted(own.items()):
        print("%s: %d operations there" % (service, len(operations)))
    missing = support.uncovered(own)
    print("of %d operations there, %d were done and refused" % (
        sum(map(len, own.values())), len({(s, o) for s in own for o in own[s] if all(support.called[s, o])})))
    if not sys.argv[1:] and not failed:
        for line in missing:
            print("FAIL: " + line)
        failed += 1 if missing else 0
    for test, why in result.skipped:
        print("skipped: %s: %s" % (test.id(), why))
    print("%d passed, %d failed, %d skipped" % (result.passed, failed, len(result.skipped)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
