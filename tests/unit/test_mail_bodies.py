"""The bodies of a mail, and templates that were written to keep us busy."""

import time

import pytest

from telealarm.rules import mail_bodies, placeholders


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Dear <b>Ann</b>,</p><p>bye</p>", "Dear Ann,\nbye"),
        ("a<br>b<BR/>c<br />d", "a\nb\nc\nd"),
        ("<style>p { x: 1 }</style><script>a < b; '<p>'</script >x", "x"),
        ("<head><title>t</title></head><body>x &lt;b&gt; &amp;</body>", "x <b> &"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("a < b and b > c", "a c"),
        (
            '<a class="b" href="https://x.y/?a=1&amp;b=2"><b>Yes</b></a>',
            "Yes (https://x.y/?a=1&b=2)",
        ),
        ("<a href='https://x.y/'>https://x.y/</a>, <a href='#top'>up</a>", "https://x.y/, up"),
        ("<!-- no -->x<strong>y</strong>", "xy"),
    ],
)
def test_the_text_of_html(markup: str, text: str) -> None:
    assert mail_bodies.as_text(markup) == text


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("a < b\nc", "<p>a &lt; b<br>\nc</p>"),
        (
            'Go to "https://x.y/a?b=1&c=2".',
            '<p>Go to &quot;<a href="https://x.y/a?b=1&amp;c=2">https://x.y/a?b=1&amp;c=2</a>'
            "&quot;.</p>",
        ),
        ("(https://x.y/a).", '<p>(<a href="https://x.y/a">https://x.y/a</a>).</p>'),
        (
            'https://x.y/"onclick="z',
            '<p><a href="https://x.y/">https://x.y/</a>&quot;onclick=&quot;z</p>',
        ),
    ],
)
def test_a_text_as_html(text: str, markup: str) -> None:
    assert mail_bodies.as_html(text) == markup


def test_the_links_stand_before_the_end_whatever_letters_come_first() -> None:
    """A lower-case dotted I takes two characters."""
    shown = mail_bodies.with_links(
        "<body>" + "\u0130" * 9 + "</BODY></html>", {"Yes": "https://x/"}
    )
    assert shown.endswith('\u0130\n<p><a href="https://x/">Yes</a></p>\n</BODY></html>')


@pytest.mark.parametrize(
    "template",
    [
        *("<style " * 15_000, "<style>" * 15_000, "<script><" * 12_000, "<" * 100_000),
        *(" " * 100_000 + "x", "\t{" * 50_000, "{a|" * 33_000, "</body" * 16_000),
        *("<p>" * 33_000, "<" + "a" * 100_000, ("<" + "a" * 3000) * 33, "http://" * 14_000),
        *("http://." * 12_000, "<a href=" * 12_000, "<a " + "href=" * 20_000 + ">"),
    ],
)
def test_a_hostile_template_holds_up_nobody(template: str) -> None:
    began = time.process_time()
    filled = placeholders.fill(template, {"a": "x"}, 200_000)
    mail_bodies.with_links(filled, {"Confirm": "https://x/"})
    mail_bodies.as_text(filled)
    mail_bodies.as_html(filled)
    assert time.process_time() - began < 1


def test_spaces_before_a_placeholder_without_a_value_go_with_it() -> None:
    assert placeholders.fill("Hello \t {name}, {title}{more}!", {"title": "x"}) == "Hello, x!"
    assert placeholders.fill("{a} {b}", {"a": 1, "b": 2}) == "1 2"
