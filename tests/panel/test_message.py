"""A message grows page by page, and all of it is always there."""

from helpers.panel.markdown import to_html
from helpers.panel.message import PAGE, Message

PARAGRAPH = "Some **words** of [a page](https://example.org).\n\n"
SHORT, LONG = PARAGRAPH * 3, PARAGRAPH * 200


def test_a_page_that_is_done_is_not_drawn_again() -> None:
    message, drawn = Message("Model"), list[str]()
    for end in range(0, len(LONG), 100):
        if len(message.box.children) == 2 and not drawn:
            first = message.box.children[0]
            first.observe(lambda change: drawn.append(change["new"]), "value")
        message.draw(LONG[:end])
        assert message.html == to_html(LONG[:end])
        assert len(message.box.children[-1].value) < PAGE + 1000
    before = message.box.children
    assert len(before) > 5
    assert drawn == []
    message.end(LONG)
    assert message.html == to_html(LONG)


def test_another_text_takes_the_place_of_the_one_before() -> None:
    message = Message("Model")
    for text in (LONG, SHORT, LONG):
        message.draw(text)
        assert message.html == to_html(text)
    message.end(LONG)
    assert len(message.box.children) == 2


def test_a_short_one_is_one_widget() -> None:
    message = Message("Model")
    message.draw(SHORT)
    message.end(SHORT)
    assert [page.value for page in message.box.children] == [to_html(SHORT)]
    assert Message("You", "<b>Hi</b>").html == "<b>Hi</b>"


def test_a_link_that_is_defined_at_the_end() -> None:
    text = f"[here] it is.\n\n{LONG}"
    message = Message("Model")
    for end in range(0, len(text), 1000):
        message.draw(text[:end])
    message.end(f"{text}\n\n[here]: https://example.com")
    assert message.html.startswith('<p><a href="https://example.com"')
    assert len(message.box.children) == 1
