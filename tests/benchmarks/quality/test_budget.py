"""What counts as shown in an answer."""

from benchmarks.quality.budget import recall, shown
from benchmarks.quality.judging import Place, Question

ANSWER = """\
1. src/a.py:10-41 parse, Other/name
10 def parse(text):
12     return 1. src/no.py:1-2
3. docs/with blank.md:1-2
   text 1.000 + stem .500 = 1.500
1 # Title
4. src/named_alone.py:5-9 alone
[2 hits left out for want of room: ask with offset=4 or a larger max_tokens.]
[current; text 100 %, sketch 100 %, vectors 100 %]"""


def test_a_place_counts_where_a_line_of_it_is_shown() -> None:
    assert [(place.file_path, place.start_line, place.end_line) for place in shown(ANSWER)] == [("src/a.py", 10, 41)]


def test_recall_is_the_share_of_right_places_shown_as_a_mean_of_repositories() -> None:
    places = (Place("a.py"), Place("src/named_alone.py"))
    questions = [Question("one", "symbol", "q", places), Question("two", "symbol", "q", (Place("src/a.py", 40, 50),))]
    assert recall(questions, [ANSWER, ANSWER]) == 0.75
