"""What the scripted model says in words to what examples ask for."""

import json

import pytest

from helpers.scripted.reply import reply_to
from helpers.scripted.request import parse_request


def said(*prompts: str, system: str = "", **more: object) -> str:
    """Return the answer to the last prompt of a conversation."""
    messages = [{"role": "system", "content": system}] if system else []
    for number, prompt in enumerate(prompts):
        if number:
            messages.append({"role": "assistant", "content": "I see."})
        messages.append({"role": "user", "content": prompt})
    body = {"model": "m", "messages": messages, **more}
    return reply_to(parse_request(json.dumps(body).encode())).text


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Say this is a test", "This is a test"),
        ('Please repeat after me: "one, two"', "One, two"),
        ("Reply with exactly this text and nothing else: So be it", "So be it"),
        ("Count to ten", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10"),
        ("count from 3 to 1", "3, 2, 1"),
        ("Count to 3, one number per line", "1\n2\n3"),
        ("3 * 12", "3 * 12 = 36"),
        ("What's two plus two?", "2 + 2 = 4"),
        ("What is 15% of 80?", "15 / 100 * 80 = 12"),
        ("How many minutes are in 3 hours?", "3 * 60 = 180"),
        ("twenty five times four", "25 * 4 = 100"),
        (
            "Give the sentiment of the following shop review, which I love, as "
            "'good' or 'bad'.",
            "good",
        ),
        ("How do I solve 8x + 7 = -23?", "x = -3.75"),
        ("What is the capital of France?", "The capital of France is Paris."),
        ("List three colours", "1. red\n2. green\n3. blue"),
        ("Translate 'hello' to French", "Bonjour"),
        ("How do you say good morning in German?", "Guten Morgen"),
        ("Summarise: Cats sleep a lot. They eat. They purr.", "Cats sleep a lot."),
        ("Classify the sentiment: I love this film", "Positive"),
        ("Label as spam or ham: win a free prize now", "spam"),
        (
            "Which category, billing or technical: the app crashes at login",
            "technical",
        ),
        ("Reverse the word stream", "maerts"),
        (
            "How many r's are in strawberry?",
            "The letter 'r' is 3 times in 'strawberry'.",
        ),
        (
            "Suggest a name for a company that makes colorful socks",
            "Colorful Socks & Co.",
        ),
        ("Thanks!", "You are welcome!"),
        ("Hi, I'm Bob", "Hello Bob, nice to meet you! How can I help you?"),
    ],
)
def test_a_small_intent_is_met(prompt: str, answer: str) -> None:
    assert said(prompt) == answer


@pytest.mark.parametrize(
    ("prompts", "answer"),
    [
        (["My name is Bob.", "What is my name?"], "Your name is Bob."),
        (["I am Ada, hi", "Who am I?"], "Your name is Ada."),
        (["My favorite color is blue", "What's my favorite color?"], "color is blue."),
        (["I like tea", "What did I say before?"], "You said: “I like tea”"),
        (["Hello", "What is my name?"], "You have not told me your name"),
        (["What is the capital of France?", "And of Italy?"], "of Italy is Rome."),
        (["Who won the 2020 World Series?", "Where was it played?"], "in Arlington"),
        (["Hello", "And what is streaming?"], "Streaming sends an answer in pieces"),
        (["Tell me a joke about cats", "Another one"], "?"),
    ],
    ids=str,
)
def test_what_was_said_before_counts(prompts: list[str], answer: str) -> None:
    assert answer in said(*prompts)


TOPICS = (
    "The topics are boats and tides. If it is one of them, say 'good' otherwise say "
    "'no_topic'"
)


@pytest.mark.parametrize(
    ("prompt", "system", "answer"),
    [
        ("I love programming.", "You translate English to French.", "J'adore"),
        (
            "I was charged twice",
            "Classify as one of: Billing, Sales, Other.",
            "Billing",
        ),
        ("Tell me about recursion.", "You only respond in haikus.", "recursion"),
        ("Cats purr. They sleep.", "Summarize what the user sends you.", "Cats purr."),
        (
            "When is it open?",
            "Context: We sell tea. It is open from nine.",
            "from nine",
        ),
        ("May I talk of figs?", TOPICS, "no_topic"),
        ("Which boats are fast?", TOPICS, "good"),
        (
            "Question: What is a quay?\nContext: Quay\nA quay is a place for boats.\n"
            "It is of stone.\nAnswer:",
            "",
            "a place for boats",
        ),
        (
            "Does it speak of rain? Answer with yes or no.\n```The sun shines.```",
            "",
            "No",
        ),
        ("How many staff?", "Write SQL for the table staff(id, name).", "COUNT(*)"),
        (
            "Show each artist's name and age",
            "Use SQL.\nCREATE TABLE songs (id INT, title TEXT);\n"
            "CREATE TABLE artists (artist_id INT, full_name VARCHAR(40), age INT);",
            "SELECT full_name, age FROM artists;",
        ),
    ],
)
def test_the_system_s_message_says_what_to_do(
    prompt: str, system: str, answer: str
) -> None:
    assert answer in said(prompt, system=system)


@pytest.mark.parametrize(
    "prompt",
    [
        "Answer from the context only.\nContext:\nHarrison worked at Kensho.\n"
        "Bears eat honey.\n\nQuestion: where did Harrison work?\nHelpful answer:",
        "Where did Harrison work?\n\n<context>Bears eat honey. Harrison worked at "
        "Kensho.</context>",
        "Context: [Document(id='7', metadata={}, page_content='Bears eat honey.'), "
        "Document(id='8', metadata={}, page_content=\"Harrison worked at Kensho.\")]\n"
        "Question: Where did Harrison work?",
        "Question: Where did Harrison work?\nContext: Bears eat. Harrison worked at "
        "Kensho.\nAnswer:",
    ],
)
def test_an_answer_comes_from_the_context(prompt: str) -> None:
    assert said(prompt) == "Harrison worked at Kensho."


def test_a_context_without_the_answer_has_none() -> None:
    assert said("Context: Bears eat honey.\n\nQuestion: who won?").startswith("I don't")


@pytest.mark.parametrize("kind", ["joke", "haiku", "poem", "story"])
def test_a_text_is_of_the_kind_that_is_asked_for(kind: str) -> None:
    text = said(f"Write a short {kind} about cats")
    assert "scripted model" not in text
    assert kind != "haiku" or len(text.splitlines()) == 3
    assert kind != "story" or len(text.split()) > 40
    assert "cat" in text


@pytest.mark.parametrize(
    "prompt",
    ["Who won the match?", "Explain quantum physics", "Name five churches", "?"],
)
def test_where_nothing_is_known_it_says_what_it_is(prompt: str) -> None:
    assert said(prompt).startswith("I am a scripted model")


def test_a_translation_that_it_does_not_know_is_not_made_up() -> None:
    text = said("Translate this to German: the house is red")
    assert "a scripted model" in text
    assert "the house is red" in text


def test_the_same_prompt_has_the_same_answer() -> None:
    for prompt in ("Tell me a joke", "Write a poem about tea", "What is love?"):
        assert said(prompt) == said(prompt)


TEXT = "Pour the water. Then wait. The parcel arrived broken."


@pytest.mark.parametrize(
    ("asks", "answer"),
    [
        (
            "Write it as Step 1 - … Step 2 - …",
            "Step 1 - Pour the water.\nStep 2 - Then wait.\n"
            "Step 3 - The parcel arrived broken.",
        ),
        ("Extract what is relevant to delivery.", "The parcel arrived broken."),
        (
            "Give two topics as a list of items separated by commas.",
            "parcel, arrived",
        ),
    ],
)
def test_a_text_between_quotes(asks: str, answer: str) -> None:
    """What is asked of a text in triple quotes is taken from that text."""
    assert said(f"{asks}\n\n```{TEXT}```") == answer


def test_a_greeting_says_the_name() -> None:
    """A name in small letters is one, where a greeting says it."""
    assert said("hey, i'm rosa", "What's my name?") == "Your name is Rosa."
    assert "not told me" in said("hey, i'm so happy", "What's my name?")


def test_as_many_lines_as_asked() -> None:
    """A poem of two lines has two."""
    assert len(said("Write a 2-line poem about rain").splitlines()) == 2


CRITIC = "Give feedback. Reply with 'DONE' once your points are met."


@pytest.mark.parametrize(
    ("prompts", "system", "answer"),
    [
        (
            ["Draft a reply to this.\nSubject: Rent\nBest, Ann"],
            "",
            "Dear Ann,\n\nthank",
        ),
        (["Compose a short email on the garden party"], "", "Subject: Garden party"),
        (["My kettle leaks"], "You work in customer support.", "the trouble with"),
        (["A sketch of a house"], CRITIC, "It would gain by"),
        (["A sketch of a house", "A better sketch"], CRITIC, "DONE"),
        (["I grow figs", "Summarise the conversation so far"], "", "“I grow figs”"),
        (["Write an easy question for a quiz"], "", "?"),
    ],
)
def test_a_turn_that_anybody_could_take(
    prompts: list[str], system: str, answer: str
) -> None:
    text = said(*prompts, system=system)
    assert answer in text
    assert "scripted model" not in text


def test_the_next_speaker_is_named_and_has_not_spoken() -> None:
    talk = "Chef: plans\nCook: cooks\nPorter: carries\n\nChef : Porter, carry it.\n"
    text = said(f"{talk}Choose the next speaker from ['Chef', 'Cook', 'Porter'].")
    assert text == "Porter"


def test_examples_give_the_labels() -> None:
    """Labels come from examples, in the text or as messages."""
    lines = "Film: I loved it\nMark: up\n\nFilm: It was awful\nMark: down\n\n"
    assert said(f"{lines}Film: A great film\nMark:") == "up"
    talk = ["I loved it", "It was awful", "A great film"]
    messages = [{"role": "user", "content": each} for each in talk]
    for at, label in ((1, "+"), (3, "-")):
        messages.insert(at, {"role": "assistant", "content": label})
    body = json.dumps({"model": "m", "messages": messages}).encode()
    assert reply_to(parse_request(body)).text == "+"


def test_a_label_that_is_only_asked_about_does_not_count() -> None:
    asks = "Decide whether this is fraud or honest. If it is fraud, say so; if it is "
    asks += "honest, do not: "
    assert said(f"{asks}we could meet on Monday") == "honest"


def test_an_answer_may_come_from_an_earlier_one() -> None:
    messages = [
        {"role": "user", "content": "What is on the menu?"},
        {"role": "assistant", "content": "There is soup. The figs are sold out."},
        {"role": "user", "content": "Can I have figs?"},
    ]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    assert reply_to(parse_request(body)).text == "The figs are sold out."


@pytest.mark.parametrize(
    ("asks", "text", "has", "lacks"),
    [
        ("Extract the keywords.", "Ada wrote of pottery in Rome.", "pottery", "of"),
        ("Extract the airport codes.", "From Bern (BRN) to Oslo (OSL).", "BRN", "Oslo"),
    ],
)
def test_keywords_and_codes_are_of_the_text(
    asks: str, text: str, has: str, lacks: str
) -> None:
    """Names and long words, or codes: no word of what asks for them."""
    words = said(text, system=f"Make a list of {asks.split()[-1]}").split(", ")
    assert has in words
    assert not {lacks, "Extract"} & {*words}
    assert said(f"{asks}\n{text}").split(", ")[:1] == words[:1]


@pytest.mark.parametrize(
    ("asks", "query"),
    [
        ("Names of customers from France", "SELECT name FROM people {0} country = "),
        ("Names of all people in Bern", "SELECT name FROM people {0} city = 'Bern';"),
        ("Who has the highest age?", "SELECT age FROM people ORDER BY age DESC LIMIT"),
    ],
)
def test_a_query_has_the_rows_that_are_asked_for(asks: str, query: str) -> None:
    """Of a place that the prompt names, or the first by a column."""
    table = (
        "Write SQL. CREATE TABLE people (name TEXT, age INT, city TEXT, country TEXT)"
    )
    assert said(asks, system=table).startswith(query.format("WHERE"))


def test_the_context_may_stand_between_two_rules() -> None:
    """As a query engine writes it, with a line on the file above the text."""
    rule = "-" * 21
    prompt = (
        f"Context information is below.\n{rule}\nfile_path: a.txt\n\nAda wrote short "
        f"stories. She kept bees.\n{rule}\nGiven the context information, answer the "
        "query.\nQuery: What did she keep?\nAnswer: "
    )
    assert said(prompt) == "She kept bees."


def test_of_a_context_the_rarer_words_decide() -> None:
    """Also where it is a list that numbers its texts, as DSPy writes one."""
    prompt = (
        "[[ ## context ## ]]\n[1] «Ann Lee was a doctor. She inherited a castle.»\n"
        "[2] «Ann Bell was not.»\n\n[[ ## question ## ]]\nWhich castle did Ann inherit?"
    )
    assert said(prompt) == "She inherited a castle."


def test_a_line_that_is_broken_within_a_sentence_is_one() -> None:
    """The sentence goes on at the next line's small letter."""
    text = (
        "We deliver groceries, medications, and many other things to\n    every door."
    )
    prompt = f"Context:\n{text}\n\nQuestion: What do you deliver?"
    assert said(prompt).endswith("to every door.")


def test_a_known_fact_fills_the_keys_of_an_object() -> None:
    """No field wants an answer in words: its values are those of the fact."""
    asks = "Who won the world series in 2020? Answer in JSON with winner and year."
    got = json.loads(said(asks, response_format={"type": "json_object"}))
    assert got == {"winner": "Los Angeles Dodgers", "year": 2020}
