"""Which names a pattern means."""

from __future__ import annotations

import pytest

from secure_serial.policy.patterns import problem_with, registered_matches, symbol_matches


@pytest.mark.parametrize(
    ("pattern", "symbol", "means"),
    [("a.b.C", "a.b.C", True), ("a.b.C", "a.b.c", False), ("a.b", "a.b.C", False), ("a.b.C", "a.b", False),
     ("a.*", "a.b", True), ("a.*", "a.b.c", False), ("a.*", "a", False), ("a.*.c", "a.b.c", True),
     ("a.*.c", "a.b.d", False), ("a.*.c", "a.c", False), ("a.**", "a.b", True), ("a.**", "a.b.c.d", True),
     ("a.**", "a", False), ("a.**", "ab.c", False), ("a.*.**", "a.b.c", True), ("a.*.**", "a.b", False),
     ("a.*.**", "x.b.c", False), ("*", "a", True), ("a.*", "a.*", True), ("a.b*", "a.bc", False)],
)  # fmt: skip
def test_a_pattern_means_whole_segments(pattern, symbol, means):
    assert symbol_matches(pattern, symbol) is means


@pytest.mark.parametrize(
    ("pattern", "name", "means"),
    [("a>B", "a>B", True), ("a>B", "a>C", False), ("a>B", "b>B", False), ("a>*", "a>B", True), ("*>B", "a>B", True),
     ("a>*", "ab>B", False), ("*>B", "a>BC", False), ("a>*", "a", False), ("a", "a", True), ("a", "a>B", False),
     ("*>*", "a>B", True), ("a>*", "a>b>c", True), ("*", "a>b", False), ("*>", "a", False), ("a", "a>", False),
     ("*", "a>", False)],
)  # fmt: skip
def test_a_registered_pattern_means_whole_sides(pattern, name, means):
    assert registered_matches(pattern, name) is means


@pytest.mark.parametrize("pattern", ["a.b", "a.*", "a.**", "a.*.b", "a", "a.*.**"])
def test_usable_patterns_have_no_problem(pattern):
    assert problem_with(pattern, registered=False) == ""


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [("*", "everything"), ("**", "everything"), ("*.a", "everything"), ("a..b", "empty"), ("", "empty"),
     ("a.", "empty"), (".a", "empty"), ("a.b*", "whole segments"), ("a.**.b", "only at the end"),
     ("**.a", "only at the end"), ("a.***", "whole segments")],
)  # fmt: skip
def test_patterns_that_mean_too_much_or_nothing_are_refused(pattern, problem):
    assert problem in problem_with(pattern, registered=False)


@pytest.mark.parametrize("pattern", ["a>b", "a>*", "*>b"])
def test_usable_registered_patterns_have_no_problem(pattern):
    assert problem_with(pattern, registered=True) == ""


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [("a", "package>name"), ("a>b>c", "package>name"), (">b", "package>name"), ("a>", "package>name"),
     ("*>*", "every registered name"), ("a*>b", "whole side"), ("a>b*", "whole side"), ("", "package>name")],
)  # fmt: skip
def test_registered_patterns_that_mean_too_much_or_nothing_are_refused(pattern, problem):
    assert problem in problem_with(pattern, registered=True)
