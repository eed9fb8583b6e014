#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "base/text.h"
#include "functions/ear.h"
#include "functions/handlers.h"

namespace fixpoint::functions {
namespace {

using Hostile = Handlers;

TEST_F(Hostile, a_fork_bomb_is_bounded_and_dies_with_its_run) {
  if (runtime_->isolation().find("number of processes is not limited") != std::string::npos)
    GTEST_SKIP() << runtime_->isolation();
  const auto bomb = [](const std::string& afterwards, int timeout_s) {
    return invocation(
        "import os\n"
        "def handler(event, context):\n"
        "    made = 0\n"
        "    try:\n"
        "        while made < 5000:\n"
        "            if os.fork() == 0:\n"
        "                while True:\n"
        "                    os.read(os.pipe()[0], 1)\n"
        "            made += 1\n"
        "    except OSError:\n"
        "        pass\n" +
            afterwards,
        timeout_s);
  };
  const Outcome bounded = run(bomb("    return made\n", 60));
  const auto made = to_int64(bounded.payload);
  ASSERT_TRUE(made) << bounded.payload;
  EXPECT_LE(*made, 64);
  EXPECT_EQ(run(bomb("    while True:\n        pass\n", 2)).error_type, "Sandbox.Timedout");
  EXPECT_EQ(run(invocation("def handler(e, c):\n    return 'well'\n")).payload, "\"well\"");
}

TEST_F(Hostile, giant_output_is_drained_and_its_end_kept) {
  const Outcome outcome =
      run(invocation("import sys\ndef handler(event, context):\n    for i in range(200):\n        "
                     "sys.stdout.write('\\u00fc' * 100_000)\n    print('the end')\n    return 'done'\n"));
  EXPECT_EQ(outcome.payload, "\"done\"");
  EXPECT_LE(outcome.log_tail.size(), 4096U);
  EXPECT_TRUE(is_valid_utf8(outcome.log_tail));
  EXPECT_NE(outcome.log_tail.find("the end\nEND RequestId"), std::string::npos);
  EXPECT_LT(log_.size(), 1'200'000U);
  EXPECT_NE(log_.find("are left out]"), std::string::npos);
}

TEST_F(Hostile, output_that_is_no_utf8_becomes_utf8) {
  const Outcome outcome =
      run(invocation("import os\ndef handler(event, context):\n    os.write(1, b'\\xff\\xfe raw\\n')\n"));
  EXPECT_TRUE(is_valid_utf8(outcome.log_tail));
  EXPECT_NE(outcome.log_tail.find("\uFFFD\uFFFD raw\n"), std::string::npos) << outcome.log_tail;
}

TEST_F(Hostile, memory_is_bounded) {
  const Outcome outcome = run(invocation("def handler(event, context):\n    return len(b'x' * 2_000_000_000)\n"));
  EXPECT_EQ(outcome.error_type, "MemoryError") << outcome.payload;
}

// https://repost.aws/knowledge-center/lambda-troubleshoot-invocation-error-502-500 has what Lambda says.
void expect_killed(const Outcome& outcome) {
  EXPECT_EQ(outcome.error_type, "Runtime.ExitError") << outcome.payload;
  EXPECT_EQ(json::parse(outcome.payload).value_or(json::Value())["errorMessage"].string_or(""),
            "RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited with error: signal: killed");
  EXPECT_GT(outcome.memory_used_mb, 128);
  EXPECT_THAT(outcome.log_tail, testing::HasSubstr("Runtime.ExitError"));
}

TEST_F(Hostile, shared_memory_is_bounded) {
  expect_killed(
      run(invocation("import mmap, time\n"
                     "def handler(event, context):\n"
                     "    held = mmap.mmap(-1, 700 << 20)\n"
                     "    for at in range(0, len(held), 4096): held[at] = 1\n"
                     "    time.sleep(90)\n",
                     100)));
  // The next run has a process of its own.
  EXPECT_EQ(run(invocation("def handler(event, context):\n    return 7\n")).payload, "7");
}

TEST_F(Hostile, shared_memory_is_bounded_however_it_is_hidden) {
  if (runtime_->isolation().find("WITHOUT isolation") != std::string::npos) GTEST_SKIP() << runtime_->isolation();
  expect_killed(
      run(invocation("import ctypes, mmap, time\n"
                     "def handler(event, context):\n"
                     "    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE\n"
                     "    held = []\n"
                     "    for _ in range(7):\n"
                     "        piece = mmap.mmap(-1, 100 << 20)\n"
                     "        for at in range(0, len(piece), 1 << 20):\n"
                     "            for page in range(at, at + (1 << 20), 4096): piece[page] = 1\n"
                     "            piece.madvise(mmap.MADV_DONTNEED)\n"
                     "        held.append(piece)\n"
                     "    time.sleep(90)\n",
                     100)));
}

TEST_F(Hostile, memory_is_bounded_for_all_processes_of_a_run_together) {
  expect_killed(
      run(invocation("import os, time\n"
                     "def handler(event, context):\n"
                     "    for _ in range(5):\n"
                     "        if os.fork() == 0:\n"
                     "            held = bytes(1 for _ in range(1)) * (40 << 20)\n"
                     "            time.sleep(90)\n"
                     "            os._exit(0)\n"
                     "    time.sleep(90)\n",
                     100)));
}

TEST_F(Hostile, memory_that_forked_processes_share_counts_once) {
  const Outcome outcome =
      run(invocation("import os, time\n"
                     "def handler(event, context):\n"
                     "    held = b'x' * (40 << 20)\n"
                     "    children = []\n"
                     "    for _ in range(4):\n"
                     "        child = os.fork()\n"
                     "        if child == 0:\n"
                     "            time.sleep(0.5)\n"
                     "            os._exit(0)\n"
                     "        children.append(child)\n"
                     "    for child in children: os.waitpid(child, 0)\n"
                     "    return len(held)\n"));
  EXPECT_EQ(outcome.function_error, "") << outcome.payload;
}

TEST_F(Hostile, memory_that_nobody_could_see_is_not_to_be_had) {
  if (!isolated()) GTEST_SKIP() << runtime_->isolation();
  const Outcome outcome = run(invocation(
      "import ctypes, os\n"
      "libc = ctypes.CDLL(None, use_errno=True)\n"
      "def tried(what):\n"
      "    try:\n"
      "        what()\n"
      "        return 'done'\n"
      "    except OSError as error:\n"
      "        return error.strerror\n"
      "def called(number):\n"
      "    return 'done' if number >= 0 else os.strerror(ctypes.get_errno())\n"
      "def handler(event, context):\n"
      "    return {'dev': tried(lambda: open('/dev/x', 'w')), 'shm': tried(lambda: open('/dev/shm/x', 'w')),\n"
      "            'root': tried(lambda: open('/x', 'w')), 'memfd': tried(lambda: os.memfd_create('x')),\n"
      "            'segment': called(libc.shmget(0, 4096, 0o1600)),\n"
      "            'namespace': called(libc.unshare(0x10000000)),\n"
      "            'null': tried(lambda: open('/dev/null', 'w').write('x')),\n"
      "            'tmp': tried(lambda: open('/tmp/x', 'w').write('x'))}\n"));
  const json::Value said = payload(outcome);
  for (const char* place : {"dev", "shm", "root"})
    EXPECT_EQ(said[place].string_or(""), "Read-only file system") << place << ": " << outcome.payload;
  for (const char* call : {"memfd", "segment"})
    EXPECT_EQ(said[call].string_or(""), "Function not implemented") << call << ": " << outcome.payload;
  for (const char* usual : {"null", "tmp"}) EXPECT_EQ(said[usual].string_or(""), "done") << outcome.payload;
  const bool said_to_be_had = runtime_->isolation().find("Handlers can make user namespaces") != std::string::npos;
  EXPECT_EQ(said["namespace"].string_or("") == "done", said_to_be_had) << outcome.payload;
}

TEST_F(Hostile, a_file_cannot_fill_the_machine) {
  const Outcome outcome = run(invocation(
      "def handler(event, context):\n    with open('/tmp/big', 'wb') as f:\n        f.truncate(600 * 1024 * 1024)\n"));
  EXPECT_EQ(outcome.function_error, "Unhandled") << outcome.payload;
}

TEST_F(Hostile, sees_neither_our_environment_nor_our_files_nor_our_processes) {
  if (!isolated()) GTEST_SKIP() << runtime_->isolation();
  ::setenv("FIXPOINT_TEST_SECRET", "do not show", 1);
  const test::TempDir dir;
  std::ofstream(dir.path() / "data") << "secret";
  auto call = invocation(
      "import os\n"
      "def tried(action):\n"
      "    try:\n        return str(action())\n"
      "    except OSError as e:\n        return type(e).__name__\n"
      "def handler(event, context):\n"
      "    return {'env': 'FIXPOINT_TEST_SECRET' in os.environ,\n"
      "            'outer': tried(lambda: b'FIXPOINT_TEST_SECRET' in open('/proc/1/environ', 'rb').read()),\n"
      "            'file': tried(lambda: open(event).read()),\n"
      "            'usr': tried(lambda: open('/usr/x', 'w')),\n"
      "            'root': tried(lambda: open('/x', 'w')),\n"
      "            'runtime': tried(lambda: open('/var/runtime/bootstrap.py', 'w')),\n"
      "            'passwd': tried(lambda: open('/etc/shadow').read()),\n"
      "            'tmp': tried(lambda: open('/tmp/x', 'w').close()),\n"
      "            'tmp_is_empty': os.listdir('/tmp') == ['x'],\n"
      "            'pids': len([p for p in os.listdir('/proc') if p.isdigit()])}\n");
  call.payload = json::print(json::Value((dir.path() / "data").string()));
  const Outcome outcome = run(call);
  const json::Value got = payload(outcome);
  EXPECT_EQ(got["env"], false) << outcome.payload;
  EXPECT_NE(got["outer"], "True") << outcome.payload;
  EXPECT_EQ(got["file"], "FileNotFoundError");
  for (const char* path : {"usr", "root", "runtime"})
    EXPECT_TRUE(got[path] == "OSError" || got[path] == "PermissionError") << path << outcome.payload;
  EXPECT_EQ(got["passwd"], "FileNotFoundError");
  EXPECT_EQ(got["tmp"], "None");
  EXPECT_EQ(got["tmp_is_empty"], true);
  EXPECT_LE(got["pids"].int_or(99), 3);
}

TEST_F(Hostile, zips_that_are_none_or_lead_out_run_nothing) {
  for (const std::string& zip : {std::string("this is no zip"), std::string(),
                                 test::zip_of({{"app.py", "def handler(e, c): pass"}, {"../out.py", "x"}}),
                                 test::zip_of({{"/etc/out.py", "x"}})}) {
    const Outcome outcome = run(of_zip(zip));
    EXPECT_EQ(outcome.error_type, "Runtime.InvalidCodePackage") << outcome.payload;
    EXPECT_NE(outcome.payload.find("cannot be unpacked"), std::string::npos) << outcome.payload;
  }
}

TEST_F(Hostile, an_answer_for_another_invocation_or_no_json_does_not_pass) {
  const Outcome outcome = run(invocation(
      "import http.client, os\n"
      "def post(path, body):\n"
      "    host, _, secret = os.environ['AWS_LAMBDA_RUNTIME_API'].partition('/')\n"
      "    c = http.client.HTTPConnection(host)\n"
      "    c.request('POST', '/' + secret + path, body)\n"
      "    return c.getresponse().status\n"
      "def handler(event, context):\n"
      "    print('other', post('/2018-06-01/runtime/invocation/11111111-0000-3333-4444-555555555555/response', '1'))\n"
      "    print('init', post('/2018-06-01/runtime/init/error', '{}'))\n"
      "    post('/2018-06-01/runtime/invocation/' + context.aws_request_id + '/response', 'not json')\n"));
  EXPECT_EQ(outcome.error_type, "Runtime.InvalidResponse") << outcome.payload;
  EXPECT_NE(outcome.log_tail.find("other 400\ninit 404\n"), std::string::npos) << outcome.log_tail;
}

TEST_F(Hostile, a_closed_log_does_not_end_the_run) {
  const Outcome outcome = run(invocation(
      "import os\ndef handler(event, context):\n    os.close(1)\n    os.close(2)\n    return 'still here'\n"));
  // The bootstrap cannot flush to a closed descriptor; either way the run has an outcome.
  EXPECT_NE(outcome.payload, "");
  EXPECT_EQ(run(invocation("def handler(e, c):\n    return 'well'\n")).payload, "\"well\"");
}

TEST_F(Hostile, no_handler_outlives_a_program_that_was_killed) {
#ifdef FIXPOINT_SANITIZED
  GTEST_SKIP() << "the sanitizers take no threads after a fork";
#endif
  test::Ear ear;
  auto call = invocation(test::hold_a_connection + "def handler(event, context):\n    hold(event)\n", 900);
  call.payload = ear.port();
  call.endpoint_url = ear.url();
  runtime_.reset();
  const pid_t program = fork();
  if (program == 0) {
    auto own = Runtime::start(options());
    if (own) (void)(*own)->invoke_and_wait(call);
    _exit(1);
  }
  EXPECT_TRUE(ear.hears_it_start());
  kill(program, SIGKILL);
  waitpid(program, nullptr, 0);
  EXPECT_TRUE(ear.hears_it_end()) << "the handler still runs";
}

TEST_F(Hostile, what_a_handler_leaves_behind_ends_with_its_process) {
  const std::string daemon = test::hold_a_connection +
                             "def handler(event, context):\n"
                             "    if os.fork() == 0:\n"
                             "        os.setsid()\n"
                             "        if os.fork() == 0:\n"
                             "            for fd in (0, 1, 2):\n                os.close(fd)\n"
                             "            hold(event)\n"
                             "        os._exit(0)\n"
                             "    while True:\n"
                             "        pass\n";
  for (const bool bubblewrap : {true, false}) {
    if (!bubblewrap && geteuid() != 0) continue;  // isolation() says that such a one may stay
    auto some = options();
    some.use_bubblewrap = bubblewrap;
    start(some);
    test::Ear ear;
    auto call = invocation(daemon, 5);
    call.payload = ear.port();
    call.endpoint_url = ear.url();
    EXPECT_EQ(run(call).error_type, "Sandbox.Timedout");
    EXPECT_TRUE(ear.hears_it_start());
    EXPECT_TRUE(ear.hears_it_end()) << runtime_->isolation();
  }
}

}  // namespace
}  // namespace fixpoint::functions
