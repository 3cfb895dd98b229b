"""Words: how a name is split, and which words count as the same one."""

import re
from functools import lru_cache


def seen(pattern: str, text: str) -> re.Match[str] | None:
    """Search a text for a pattern; capitals make no difference."""
    return re.search(pattern, text, re.IGNORECASE)


def these(text: str) -> list[str]:
    """Return the words of a list that is written as one text."""
    return text.split()


NUMBERS = {
    word: number
    for number, word in enumerate(
        these(
            "zero one two three four five six seven eight nine ten eleven "
            "twelve thirteen "
            "fourteen fifteen sixteen seventeen eighteen nineteen twenty"
        )
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "dozen": 12, "couple": 2}

STOP = frozenset(
    these(
        "a about all also am an and any api are as at be by call can could "
        "current data "
        "do does did for fetch fn from function get give given has have hello hi how i "
        "if in info information into is it its just let like list make me "
        "my new not of "
        "on one or other our out please result return returns run set should show so "
        "some string take tell that the their them then there these this "
        "to tool two up "
        "use used user using value values want was we were what when where which who "
        "will with would you your create generate number perform based "
        "specific provide "
        "hey need e g today tomorrow"
    )
)
"""Words that say nothing of what a tool is for, or what a question is about."""

_SAME = (
    "weather forecast temperature rain raining sunny hot cold humid umbrella degrees",
    "add sum plus addition total",
    "multiply times product multiplication",
    "subtract minus subtraction difference",
    "divide division quotient",
    "power exponent exponentiate exponentiation squared cubed",
    "calculate calculator compute evaluate math arithmetic",
    "time clock oclock timezone hour",
    "email mail gmail inbox",
    "price cost expensive quote much trading trade worth",
    "currency dollar euro usd eur pounds gbp yen",
    "stock share ticker",
    "book reserve booking reservation schedule",
    "search find lookup google tavily wikipedia browse retrieve retriever retrieval",
    "delete remove erase",
    "buy purchase",
    "meeting appointment event calendar",
    "send notify",
    "convert conversion exchange",
    "document doc file knowledge",
    "distance far",
    "reminder remind",
    "movie film",
    "restaurant dinner eat",
    "flight fly plane",
    "joke funny",
    "shipping delivery arrive arrived deliver delivered ship shipped transit",
    "win winner won wins victory",
    "lose lost loser stolen missing",
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
_ENDS = ("ations", "ation", "ings", "ing", "ies", "ers", "er", "ed", "es", "s", "e")


def split(name: str) -> list[str]:
    """Return the words of a name, in lower case.

    >>> split("getCurrentWeather"), split("get_weather")
    (['get', 'current', 'weather'], ['get', 'weather'])
    """
    return [part.lower() for part in _PARTS.findall(name[:500])]


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Return what the forms of a word have in common: "multiplied" and "multiply"."""
    word = word.casefold()
    for end in _ENDS:
        if word.endswith(end) and len(word) - len(end) >= 3:
            word = word.removesuffix(end) + ("i" if end == "ies" else "")
            break
    if len(word) > 3 and word[-1] == word[-2]:  # "running", "adding"
        word = word[:-1] if word not in ("add",) else word
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


_GROUP = {stem(word): stem(line.split()[0]) for line in _SAME for word in line.split()}


def meaning(word: str) -> str:
    """Return the stem that stands for a word and the others of its meaning."""
    found = stem(word)
    return _GROUP.get(found, found)


def content(text: str) -> set[str]:
    """Return the stems of the words of a text that say what it is about."""
    words = re.findall(r"[^\W\d_]+", text[:20_000].casefold())
    return {stem(word) for word in words if word not in STOP and len(word) > 1}


def meanings(text: str) -> set[str]:
    """Return the same with one stem for words that mean the same."""
    return {_GROUP.get(word, word) for word in content(text)}
