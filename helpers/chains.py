"""The chains that several notebooks share, as notebook 04 builds them.

LangChain is imported when a chain is built, so that `import helpers` stays quick.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable


def explain(llm: "BaseChatModel") -> "Runnable[dict[str, str], str]":
    """Return prompt | model | parser: takes `{"topic": …}`, streams text."""
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate

    prompt = ChatPromptTemplate.from_template(
        "Explain the following topic briefly:\n{topic}"
    )
    return prompt | llm | StrOutputParser()


def explain_and_shorten(
    llm: "BaseChatModel", shortener: "BaseChatModel"
) -> "Runnable[dict[str, str], str]":
    """Return a chain of two models: takes `{"topic": …}`, streams the second's text."""
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.runnables import RunnablePassthrough

    shorten = ChatPromptTemplate.from_template("Shorten this: {text}")
    return (
        explain(llm)
        | {"text": RunnablePassthrough()}
        | shorten
        | shortener
        | StrOutputParser()
    )
