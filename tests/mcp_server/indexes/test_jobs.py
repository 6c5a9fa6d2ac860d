"""Jobs as a server sees them: views folded from events, and a thread that does what it is asked."""

import queue
import threading

from mcp_server.errors import RequestError
from mcp_server.indexes.job import Commands, folded
from mcp_server.indexes.job_view import JobView, after, summary_sentence
from mcp_server.indexes.jobs import ThreadJob, events

SUMMARY = {
    "files": 3,
    "chunks": 9,
    "vectors": 9,
    "read": 1,
    "removed": 0,
    "embedded": 2,
    "seconds": 1.25,
    "finished": True,
    "skipped": {"binary": 2, "vendored": 1},
    "meaning_off": "",
    "rebuilt": "",
}


def test_a_finished_run_rests_and_an_unfinished_one_does_not():
    assert after(JobView(), {"summary": SUMMARY}).resting
    assert not after(JobView(), {"summary": SUMMARY | {"finished": False}}).resting


def test_an_error_rests_and_is_told_until_the_next_request():
    failed = after(JobView(), {"error": "the disk is full"})
    assert (failed.resting, failed.sentence()) == (True, "the disk is full")
    assert not after(failed, {"asked": True}).error


def test_progress_is_told_in_words():
    view = after(JobView(), {"phase": "vectors", "done": 50, "total": 200})
    assert view.sentence() == "Indexing: embedding 25 % (50 of 200)."


def test_each_event_makes_a_new_view():
    first = after(JobView(), {"phase": "walk", "done": 0, "total": 0})
    assert after(first, {"phase": "walk", "done": 0, "total": 0}).number == first.number + 1


def test_a_summary_counts_what_was_skipped_and_why():
    said = summary_sentence(SUMMARY)
    assert "Indexed 3 files in 9 chunks, 9 with vectors" in said
    assert "3 skipped (2 binary, 1 vendored)" in said


def test_a_thread_job_runs_again_when_asked_while_it_runs():
    runs, gate = [], threading.Semaphore(0)

    def work(post, stop, force):
        runs.append(force)
        assert gate.acquire(timeout=10)
        post({"summary": SUMMARY})

    job = ThreadJob(work)
    assert job.refresh(force=True)
    gate.release(2)
    view = job.view()
    while view.runs < 2:
        view = job.wait_for_change(view, 10)
    assert runs == [False, True]


def test_a_thread_job_that_has_ended_says_so():
    job = ThreadJob(lambda post, stop, force: post({"summary": SUMMARY}))
    job._thread.join(10)
    assert not job.refresh()
    assert job.view().resting


def test_an_expected_error_ends_the_run_with_its_sentence():
    def work(post, stop, force):
        raise RequestError("the root is gone")

    job = ThreadJob(work)
    job._thread.join(10)
    assert job.view().error == "the root is gone"


def test_a_stopped_thread_job_tells_its_work_to_stop():
    stopped = threading.Event()

    def work(post, stop, force):
        while not stop():
            stopped.wait(0.01)
        stopped.set()

    job = ThreadJob(work)
    job.stop()
    assert stopped.wait(10)


def test_a_job_that_is_ended_in_the_middle_of_a_run_was_interrupted():
    at_work = after(JobView(), {"phase": "vectors", "done": 1, "total": 9})
    ended = after(after(at_work, {"ended": ""}), {"ended": ""})
    assert (ended.resting, ended.interrupted) == (True, True)
    assert not after(ended, {"asked": True}).interrupted


def test_a_job_that_ends_at_rest_was_not_interrupted():
    assert not after(after(JobView(), {"summary": SUMMARY}), {"ended": ""}).interrupted


def test_what_was_asked_for_reaches_the_work_of_a_thread_and_ends_no_run():
    heard, asked = [], threading.Event()

    def work(post, stop, force):
        assert asked.wait(10)
        heard.append(stop())

    job = ThreadJob(work, heard.append)
    job.ask(["a", "b"])
    asked.set()
    job._thread.join(10)
    assert heard == [["a", "b"], False]


def test_what_was_asked_for_reaches_a_child_and_neither_ends_its_run_nor_begins_one():
    lines, heard = queue.SimpleQueue(), queue.SimpleQueue()
    commands = Commands(iter(lines.get, None), heard.put)  # which never end: the end would end this process
    lines.put('{"asked": ["a", "b"]}\n')
    assert heard.get(timeout=10) == ["a", "b"]
    assert not commands.pending()
    lines.put('{"asked": ["c"]}\n')
    lines.put('{"force": true}\n')
    assert commands.next(10) == {"force": True}
    assert heard.get(timeout=10) == ["c"]


def test_commands_that_came_together_want_the_paths_of_both_or_everything():
    both = folded({"force": False, "paths": ["a.py"]}, {"force": False, "paths": ["b.py"]})
    assert both == {"force": False, "paths": ["a.py", "b.py"]}
    assert folded(both, {"force": True, "paths": None}) == {"force": True, "paths": None}
    assert folded({"force": False}, both)["paths"] is None


def test_a_line_that_a_kill_has_cut_ends_what_a_child_says() -> None:
    assert list(events(['{"share": 0.5}\n', '{"ended": "', '{"share": 1.0}\n'])) == [{"share": 0.5}]
