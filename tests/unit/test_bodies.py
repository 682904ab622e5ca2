"""The bodies of a mail, and templates that were written to keep us busy."""

import time

import pytest

from telealarm.rules import bodies, placeholders


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Dear <b>Ann</b>,</p><p>bye</p>", "Dear Ann,\nbye"),
        ("a<br>b<BR/>c<br />d", "a\nb\nc\nd"),
        ("<style>p { x: 1 }</style><script>a < b; '<p>'</script >x", "x"),
        ("<head><title>t</title></head><body>x &lt;b&gt; &amp;</body>", "x <b> &"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("a < b and b > c", "a c"),
        ("<!-- no -->x<strong>y</strong>", "xy"),
    ],
)
def test_the_text_of_html(markup: str, text: str) -> None:
    assert bodies.as_text(markup) == text


@pytest.mark.parametrize(
    "template",
    [
        *("<style " * 15_000, "<style>" * 15_000, "<script><" * 12_000, "<" * 100_000),
        *(" " * 100_000 + "x", "\t{" * 50_000, "{a|" * 33_000, "</body" * 16_000),
        "<p>" * 33_000,
    ],
)
def test_a_hostile_template_holds_up_nobody(template: str) -> None:
    began = time.process_time()
    filled = placeholders.fill(template, {"a": "x"}, 200_000)
    bodies.with_links(filled, {"Confirm": "https://x/"})
    bodies.as_text(filled)
    assert time.process_time() - began < 1


def test_spaces_before_a_placeholder_without_a_value_go_with_it() -> None:
    assert placeholders.fill("Hello \t {name}, {title}{more}!", {"title": "x"}) == "Hello, x!"
    assert placeholders.fill("{a} {b}", {"a": 1, "b": 2}) == "1 2"
