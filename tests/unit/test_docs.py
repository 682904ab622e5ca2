"""The pages: what is generated is fresh, and every code block is what its first line says."""

from pathlib import Path

import pytest
import yaml

from docs._generate import command_line, configuration, dialplan, metrics, models, reference, rest
from docs._generate.blocks import Block, blocks, pages
from docs._generate.checks import CHECKS, check
from telealarm.api.app import RESOURCES, TASKS
from telealarm.api.openapi import document
from telealarm.cli import main
from telealarm.config.model import Config

WRITING = reference.DOCS / "writing.md"


def read(words: str, text: str) -> None:
    check(Block(WRITING, 1, words, text))


def test_the_generated_pages_are_fresh() -> None:
    assert reference.stale() == {}, "run make docs"


def test_a_stale_a_missing_and_an_extra_page_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "DOCS", tmp_path)
    reference.write()
    assert reference.stale() == {}
    (tmp_path / "reference/metrics.md").write_text("# Old\n" + reference.MARK)
    (tmp_path / "reference/states.md").unlink()
    (tmp_path / "reference/gone.md").write_text("# Of a source that went\n" + reference.MARK)
    (tmp_path / "reference/by-hand.md").write_text("# Ours\n")
    assert reference.stale() == {
        "reference/metrics.md": "stale",
        "reference/states.md": "missing",
        "reference/gone.md": "extra",
    }
    reference.write()
    assert reference.stale() == {}
    assert not (tmp_path / "reference/gone.md").exists()
    assert (tmp_path / "reference/by-hand.md").exists()


def test_every_key_of_the_configuration_has_a_meaning() -> None:
    page = configuration.page()
    for key in configuration.keys(Config):
        rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")]
        row = next(row for row in rows if f"`{key}`" in row[0])
        assert len(row[-1].strip(" |")) >= 8, key


def test_the_shipped_configuration_has_every_key() -> None:
    shipped = yaml.safe_load((WRITING.parents[1] / "config" / "telealarm.yml").read_text())
    for key in configuration.keys(Config):
        value = shipped
        for name in key.split("."):
            if value is None:
                break  # the group is off
            assert name in value, key
            value = value[name]


def test_every_command_call_metric_and_table_is_there() -> None:
    page = command_line.page()
    for words, about, _ in command_line.commands(main.parser()):
        assert f"## telealarm {' '.join(words)} " in page
        assert about, words
    openapi = document.written(RESOURCES, TASKS)
    written = "".join(rest.pages(openapi).values())
    for path, item in openapi["paths"].items():
        for method in item.keys() & {"get", "post", "put", "patch", "delete"}:
            if item[method].get("tags"):
                short = path.removeprefix("/rest-api/") or path
                assert f"`{method.upper()}` `{short}`" in written, path
    for name in openapi["components"]["schemas"]["AlarmNew"]["properties"]:
        assert f"| `{name}` |" in written
    assert "telealarm_calls_placed_total" in metrics.page()
    picture = models.drawn()
    for tables in models.groups().values():
        for table in tables:
            assert f">{table.__name__}</text>" in picture


def test_every_variable_of_the_dialplan_is_explained() -> None:
    text = dialplan.SOURCE.read_text()
    comments = "\n".join(line for line in text.splitlines() if line.startswith(";"))
    assert dialplan.variables(text) >= {"TELEALARM_APP", "TELEALARM_AMD", "TELEALARM_CALENDAR"}
    for name in dialplan.variables(text):
        assert name in comments, name


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_code_block_is_what_it_says(page: Path) -> None:
    last: Block | None = None
    for block in blocks(page):
        check(block)
        if block.words == "text output":
            assert last and last.words == "sh run", f"{block.place}: nothing printed this"
        last = block


def test_the_table_of_the_kinds_is_complete() -> None:
    table = WRITING.read_text()
    for words in CHECKS:
        assert f"`{words}`" in table, words


WRONG = (
    ("", "echo a block without a kind"),
    ("sh", "echo how is this to be treated?"),
    ("yaml schema=AlarmNew", "a: 1"),
    ("sh check", "if true; then"),
    ("sh check", "no-such-command --of-anything"),
    ("sh check", "telealarm plan --dayz 3"),
    ("sh check", "echo secret | .venv/bin/telealarm user add ann --pasword-stdin"),
    ("sh check", "docker compose exec -T telealarm telealarm user ad admin"),
    ("sh check", "make no-such-target"),
    ("sh check", ".venv/bin/python -m benchmarks.no_such_module"),
    ("sh check", "make demo KEPT=1"),
    ("sh check", "cp config/no-such-file /etc"),
    ("sh run", 'curl -s -u "$LOGIN" $API/alarms/'),
    ("sh run", "call DELETE plan/ '{}'; echo $(no-such-command)"),
    ("sh run", "call PATCH calendar-setting/$(basename $SETTING)/no-such-action/ '{}'"),
    ("text shown", "\n"),
    ("python check", "def f(:"),
    ("python check", "import no_such_module"),
    ("json", '{"a": 1,}'),
    ("json schema=NoSuchSchema", "{}"),
    ("json schema=AlarmNew", '{"event": 1, "alarm_phonenumber": "123", "retrys": 3}'),
    ("json schema=AlarmNew", '{"alarm_phonenumber": "123"}'),
    ("yaml", "a: [1"),
    ("yaml config", "api: {prot: 8000}"),
    ("yaml config", "timezone: Europe/Nowhere"),
    ("ini asterisk", "[trunk\ntype = endpoint"),
    ("ini dialplan", "exten => 1,1,Goto(telealarm-nowhere,s,1)"),
    ("ini dialplan", "exten => 1,1,Set(TELEALARM_KALENDAR=5)"),
    ("ini systemd", "[Servise]\nExecStart=/bin/true"),
    ("nginx", "server { listen 443 ssl }"),
    ("nginx", "server { proxy_passs http://127.0.0.1:8000; }"),
    ("nginx", "location / { return 204; }"),
    ("http", "GET /rest-api/alarms/ HTTP/1.1"),
    ("http", "DELETE /rest-api/plan/ HTTP/1.1"),
    ("csv import", "title,strat\nVisit,2030-01-01 10:00"),
    ("ics import", "BEGIN:VCALENDAR\nEND:VCALENDAR"),
    ("diff", "this is no diff"),
)


@pytest.mark.parametrize(("words", "text"), WRONG)
def test_a_wrong_block_is_seen(words: str, text: str) -> None:
    with pytest.raises(AssertionError, match=r"docs/writing.md:1"):
        read(words, text)


RIGHT = (
    ("sh check", "apt-get install nginx\nsystemctl enable --now telealarm\n"),
    ("sh check", "telealarm token revoke $ID || echo 'not there' >&2"),
    ("sh run", "name() {\n  curl -s $API/alarm/1/ | grep -q '\"result\": 1'\n}\nname"),
    ("sh run", "cat >a.csv <<'END'\nno-such-command, but data\nEND\ntelealarm import a.csv"),
    ("sh check", "make demo   # a clinic's morning\nmake test   # every test"),
    ("sh check", ".venv/bin/python -m benchmarks.pace"),
    ("yaml config", 'asterisk: {ami: {password: "${AMI}"}}'),
    ("ini asterisk", "[phone](!)\ntype = endpoint ; a comment\n\n[105](phone)\nauth = 105"),
    ("ini dialplan", "exten => 1,1,Goto(telealarm-wakeup,s,1)"),
    ("http", 'PATCH /rest-api/alarm/5/ HTTP/1.1\nHost: x\n\n{"maxretry": 2}'),
    ("python check", "from pathlib import Path\n\nprint(Path())"),
    ("diff", "@@ -1 +1 @@\n-a\n+b\n c"),
)


@pytest.mark.parametrize(("words", "text"), RIGHT)
def test_a_right_block_is_read(words: str, text: str) -> None:
    read(words, text)


def test_a_block_without_an_end_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```json\n{}\n")
    with pytest.raises(ValueError, match="does not end"):
        list(blocks(page))


def test_blocks_in_lists_and_hidden_ones_are_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "1. Step\n\n    ```sh run\n    echo a\n      echo b\n    ```\n\n"
        "<!-- run\necho c\n-->\n\n````text shown\n```json\n````\n"
    )
    read = [(block.line, block.words, block.text, block.hidden) for block in blocks(page)]
    assert read == [
        (3, "sh run", "echo a\n  echo b\n", False),
        (8, "sh run", "echo c\n", True),
        (12, "text shown", "```json\n", False),
    ]
