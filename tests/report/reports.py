"""A report with one file of each status, for the tests of every format."""

from __future__ import annotations

from secure_serial.report.model import FileReport, Finding, PolicyRef, Report, Status

LINES = 'schema = 1\nextends = ["keras-core"]\n\n[[allow]]\nid = "allow-acme-block"\nregistered = ["acme>Block"]'


def finding(**changes):
    base = Finding(
        code="SS301",
        severity="error",
        file="m/evil.keras",
        message="'acme>Block' is not known, and no rule allows it",
        help="Allow it.",
        member="config.json",
        pointer="/config/layers/1",
        line=1,
        column=20,
        symbol="acme>Block",
        policy_lines=LINES,
    )
    return base._replace(**changes)


def report():
    findings = (
        *(finding(pointer=f"/config/layers/{n}", column=20 * n) for n in range(1, 6)),
        finding(
            code="SS303",
            message="a \x1b[2Jlambda",
            symbol="__lambda__",
            pointer="",
            line=None,
            column=None,
            policy_lines="",
            unallowable="this is refused whatever the policy allows",
        ),
    )
    return Report(
        PolicyRef("keras-core", 1, "ab" * 32),
        (
            FileReport(
                "m/good.h5", Status.ALLOWED, format="h5", size=9, judged_sha256="c" * 64, requests=3
            ),
            FileReport(
                "m/evil.keras",
                Status.DENIED,
                findings=findings,
                omitted=2,
                policy_lines=LINES,
                requests=7,
            ),
            FileReport("m/cut.h5", Status.FAILED, "the file ends inside"),
            FileReport("m/notes.json", Status.SKIPPED, "not a Keras model: it has: 'a'"),
            FileReport("m/link", Status.SKIPPED, "symbolic link"),
            FileReport("m/odd\n.h5", Status.INTERNAL, "KeyError: 'x'", trace="Traceback"),
        ),
        ("m/README.md",),
    )
