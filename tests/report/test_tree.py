"""The picture of a plan: complete, bounded, and printable whatever the file says."""

from __future__ import annotations

import json

import pytest

from secure_serial.report.style import Style
from secure_serial.report.tree import Options, render
from secure_serial.scanner.scan import verdict_on


def sequential(*layers):
    return {"class_name": "Sequential", "config": {"name": "net", "layers": list(layers)}}


def layer(class_name, **config):
    return {"class_name": class_name, "config": config}


@pytest.fixture
def drawn(tmp_path):
    def draw(root, **options):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(root))
        text = render(verdict_on(path), Style(unicode=False), Options(**options))
        return text.replace(str(path), "config.json")

    return draw


def test_one_line_an_object_with_its_key_arguments(drawn):
    text = drawn(
        sequential(
            layer("Dense", name="first", units=4, activation="relu", kernel_initializer="zeros"),
            layer("Flatten", name="last"),
        )
    )
    lines = text.splitlines()
    assert lines[0] == "config.json"
    assert "2 layers" in lines[1] or "3 layers" in lines[1]
    assert lines[2] == "  `- + net  keras.Sequential"
    assert lines[3] == "     |- + first  keras.layers.Dense  units=4, activation=relu"
    assert lines[4] == "     `- + last  keras.layers.Flatten"
    assert lines[-1].startswith("+ ")
    assert "all allowed by keras-core" in lines[-1]


def test_what_is_denied_is_marked_and_explained(drawn):
    text = drawn(sequential(layer("Evil", name="x")))
    line = next(line for line in text.splitlines() if "Evil" in line)
    assert "x x  Evil  [unknown]  SS301" in line
    assert "1 denied" in text.splitlines()[-1]


def test_parameters_are_drawn_on_demand_and_when_denied(drawn):
    net = sequential(layer("Dense", name="a", units=1, kernel_initializer=layer("Zeros")))
    assert "Zeros" not in drawn(net)
    assert "keras.initializers.Zeros" in drawn(net, everything=True)
    evil = sequential(layer("Dense", name="a", units=1, kernel_initializer=layer("Evil")))
    assert "Evil" in drawn(evil)


def test_a_run_of_equal_layers_is_drawn_once(drawn):
    net = sequential(*(layer("Flatten", name=f"f{n}") for n in range(9)))
    assert drawn(net).count("keras.layers.Flatten") == 1
    assert "... 8 more like it" in drawn(net)
    assert drawn(net, everything=True).count("keras.layers.Flatten") == 9


def test_depth_bounds_the_picture_and_says_what_is_left_out(drawn):
    net = sequential(sequential(layer("Flatten", name="f"), layer("ReLU", name="r")))
    text = drawn(net, depth=1)
    assert "Flatten" not in text
    assert "2 more below" in text


def test_hostile_names_do_not_reach_the_screen(drawn):
    text = drawn(sequential(layer("Evil\x1b[2J", name="a\u202eb\nc", units="\x1b]0;x\x07")))
    assert all(line.isprintable() for line in text.split("\n"))


def test_deep_nesting_needs_no_stack(drawn):
    net = layer("Flatten", name="f")
    for _ in range(60):
        net = sequential(net)
    assert "keras.layers.Flatten" in drawn(net)
