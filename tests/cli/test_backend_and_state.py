"""The user's own choices are kept: the backend, and the place of state."""

from __future__ import annotations

import pytest

from secure_serial.cli.backend import choose
from secure_serial.cli.state import default_log, make_folder
from secure_serial.cli.trouble import UsageError
from secure_serial.errors import AuditError


def having(*names):
    return lambda name: name in {"keras", *names}


def test_the_users_backend_is_kept(tmp_path):
    environ = {"KERAS_BACKEND": "torch", "KERAS_HOME": str(tmp_path)}
    assert choose(environ, having("jax", "torch"))[0] == "torch"


def test_a_backend_that_is_not_installed_is_a_fault_of_the_environment(tmp_path):
    environ = {"KERAS_BACKEND": "torch", "KERAS_HOME": str(tmp_path)}
    with pytest.raises(UsageError, match="torch, which is not installed"):
        choose(environ, having("jax"))


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        (("tensorflow", "torch", "jax"), "jax"),
        (("tensorflow", "torch"), "torch"),
        (("tensorflow",), "tensorflow"),
    ],
)
def test_else_the_lightest_that_is_installed(tmp_path, installed, chosen):
    environ = {"KERAS_HOME": str(tmp_path)}
    assert choose(environ, having(*installed))[0] == chosen
    assert environ["KERAS_BACKEND"] == chosen


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ('{"backend": "torch"}', "torch"),
        ('{"backend": "tensorflow"}', "jax"),  # Keras's own default, and not installed
        ('{"backend": ["torch"]}', "jax"),
        ("[" * 50000, "jax"),
        ("\xff", "jax"),
    ],
)
def test_keras_own_settings_count_where_they_can_work(tmp_path, text, chosen):
    (tmp_path / "keras.json").write_text(text)
    assert choose({"KERAS_HOME": str(tmp_path)}, having("jax", "torch"))[0] == chosen


@pytest.mark.parametrize("has", [lambda _: False, having()])
def test_what_is_missing_is_named_with_the_way_to_get_it(tmp_path, has):
    with pytest.raises(UsageError, match="pip install keras"):
        choose({"KERAS_HOME": str(tmp_path)}, has)


@pytest.mark.parametrize(
    ("environ", "platform", "path"),
    [
        ({"XDG_STATE_HOME": "/s"}, "linux", "/s/secure_serial/audit.jsonl"),
        ({"LOCALAPPDATA": "/l"}, "win32", "/l/secure_serial/audit.jsonl"),
        ({"XDG_STATE_HOME": "relative"}, "linux", "~/.local/state/secure_serial/audit.jsonl"),
        ({}, "linux", "~/.local/state/secure_serial/audit.jsonl"),
        ({}, "win32", "~/AppData/Local/secure_serial/audit.jsonl"),
        ({}, "darwin", "~/Library/Application Support/secure_serial/audit.jsonl"),
    ],
)
def test_the_default_log_is_where_the_platform_has_it(monkeypatch, environ, platform, path):
    monkeypatch.setenv("HOME", "/home/u")
    monkeypatch.setenv("USERPROFILE", "/home/u")
    assert default_log(environ, platform).as_posix() == path.replace("~", "/home/u")


def test_a_folder_that_cannot_be_made_means_no_load(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditError):
        make_folder(tmp_path / "file" / "x" / "audit.jsonl")
