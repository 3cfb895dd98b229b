"""The checks of notebook 14: calls that are put together, objects that are kept."""

import ast
import json
from collections import OrderedDict, defaultdict
from contextlib import suppress
from functools import reduce
from operator import add

import pytest
from langchain_core.messages import AIMessageChunk

from helpers import check
from tests.support.answers import Answers

calls = Answers("14.1")


def pieces_of(chunks):
    return [piece for chunk in chunks for piece in chunk.tool_call_chunks]


@calls.right
def two_dictionaries(chunks):
    names, texts = {}, {}
    for piece in pieces_of(chunks):
        index = piece["index"]
        names[index] = names.get(index) or piece["name"]
        texts[index] = texts.get(index, "") + (piece["args"] or "")
    return [(names[index], text) for index, text in texts.items()]


@calls.right
def a_list_for_each(chunks):
    found = {}
    for piece in pieces_of(chunks):
        call = found.setdefault(piece["index"], [piece["name"], ""])
        call[1] += piece["args"] or ""
    return [tuple(call) for call in found.values()]


@calls.right
def lists_instead_of_pairs(chunks):
    return [[*call] for call in two_dictionaries(chunks)]


@calls.right
def yields(chunks):
    yield from two_dictionaries(chunks)


@calls.right
def the_sum_after_all(chunks):
    total = reduce(add, chunks, AIMessageChunk(""))
    return [(call["name"], call["args"] or "") for call in total.tool_call_chunks]


@calls.right
def a_defaultdict(chunks):
    found = defaultdict(list)
    for piece in pieces_of(chunks):
        found[piece["index"]].append(piece)
    return [
        (pieces[0]["name"], "".join(each["args"] or "" for each in pieces))
        for pieces in found.values()
    ]


@calls.right
def by_the_id(chunks):
    ids, found = {}, OrderedDict()
    for piece in pieces_of(chunks):
        if piece["id"]:
            ids[piece["index"]] = piece["id"]
            found[piece["id"]] = (piece["name"], "")
        name, text = found[ids[piece["index"]]]
        found[ids[piece["index"]]] = name, text + (piece["args"] or "")
    return [*found.values()]


@calls.right
def adds_up_names(chunks):
    found = {}
    for piece in pieces_of(chunks):
        name, text = found.get(piece["index"], ("", ""))
        found[piece["index"]] = (
            name + (piece["name"] or ""),
            text + (piece["args"] or ""),
        )
    return list(found.values())


@calls.right
def a_tuple(chunks):
    return tuple(two_dictionaries(chunks))


class Assembler:
    def __call__(self, chunks):
        return two_dictionaries(chunks)


calls.right(Assembler(), "an object")
calls.right(lambda chunks: two_dictionaries([*chunks]), "a lambda")

calls.wrong("write a function of the chunks")([("get", "{}")])
calls.wrong("write a function of the chunks")("assemble")


@calls.wrong("got [(None, '{\"k\"')")
def forgets_the_first(chunks):
    found = {}
    for piece in pieces_of(chunks):
        if piece["args"] and not piece["name"]:
            found.setdefault(piece["index"], (None, piece["args"]))
    return [*found.values()]


@calls.wrong("it raises TypeError")
def adds_none(chunks):
    found = {}
    for piece in pieces_of(chunks):
        name = found.get(piece["index"], ("",))[0] + piece["name"]
        found[piece["index"]] = name, piece["args"]
    return [*found.values()]


@calls.wrong("arguments that are None: it raises TypeError")
def forgets_that_args_may_be_none(chunks):
    found = {}
    for piece in pieces_of(chunks):
        call = found.setdefault(piece["index"], [piece["name"], ""])
        call[1] += piece["args"]
    return [*found.values()]


@calls.wrong("only the first piece of a call has its name")
def takes_the_last_name(chunks):
    found = {}
    for piece in pieces_of(chunks):
        text = found.get(piece["index"], ("", ""))[1]
        found[piece["index"]] = piece["name"], text + (piece["args"] or "")
    return [*found.values()]


@calls.wrong("two calls: ")
def one_call_only(chunks):
    pieces = pieces_of(chunks)
    text = "".join(piece["args"] or "" for piece in pieces)
    return [(pieces[0]["name"], text)] if pieces else []


@calls.wrong("two calls of one tool: ")
def by_the_name(chunks):
    names, found = {}, {}
    for piece in pieces_of(chunks):
        name = names.setdefault(piece["index"], piece["name"])
        found[name] = found.get(name, "") + (piece["args"] or "")
    return [*found.items()]


@calls.wrong("two calls whose pieces take turns: ")
def a_piece_belongs_to_the_last(chunks):
    found = []
    for piece in pieces_of(chunks):
        if piece["name"]:
            found.append([piece["name"], ""])
        found[-1][1] += piece["args"] or ""
    return found


@calls.wrong("a chunk with pieces of two calls: ")
def only_the_first_piece_of_a_chunk(chunks):
    first = [chunk.tool_call_chunks[:1] for chunk in chunks]
    return two_dictionaries(
        [AIMessageChunk("", tool_call_chunks=pieces) for pieces in first]
    )


@calls.wrong("chunks without a piece: it raises IndexError")
def expects_a_piece_in_each_chunk(chunks):
    for chunk in chunks:
        chunk.tool_call_chunks[0]
    return two_dictionaries(chunks)


@calls.wrong("a call 1 that begins before call 0: ")
def sorts_by_the_index(chunks):
    found = {}
    for piece in pieces_of(chunks):
        call = found.setdefault(piece["index"], [piece["name"], ""])
        call[1] += piece["args"] or ""
    return [found[index] for index in sorted(found)]


@calls.wrong("give the text that was sent, and do not parse it")
def parses(chunks):
    total = reduce(add, chunks, AIMessageChunk(""))
    return [(call["name"], call["args"]) for call in total.tool_calls]


@calls.wrong("a list of pairs expected")
def a_dictionary(chunks):
    return dict(two_dictionaries(chunks))


@calls.wrong("a list of pairs expected")
def prints(chunks):
    print(two_dictionaries(chunks))


@calls.wrong("a space between two pieces: ")
def strips(chunks):
    return [(name, text.strip()) for name, text in two_dictionaries(chunks)]


@pytest.mark.parametrize(("answer", "line"), calls.cases)
def test_assembled_calls(answer, line, said):
    check.assembled_calls(answer)
    assert line in said()


objects = Answers("14.2")
GOOD = {"stop", "tool_calls"}


def merged(parts):
    return {key: value for part in parts for key, value in part.items()}


def sent(raw):
    return [call["args"] for call in raw.tool_call_chunks] or [raw.text]


def reason_of(raw):
    return raw.response_metadata.get("finish_reason")


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@objects.right
def as_in_the_solution(parts):
    found = merged(parts)
    raw = found["raw"]
    if reason_of(raw) not in GOOD or found["parsing_error"]:
        return None
    return found["parsed"] if all(map(is_json, sent(raw))) else None


@objects.right
def one_condition(parts):
    match merged(parts):
        case {"raw": raw, "parsed": parsed, "parsing_error": None} if reason_of(
            raw
        ) in GOOD and all(map(is_json, sent(raw))):
            return parsed


@objects.right
def returns_what_was_sent(parts):
    found = merged(parts)
    whole = reason_of(found["raw"]) in GOOD and not found["parsing_error"]
    with suppress(ValueError):
        first, *_ = [json.loads(text) for text in sent(found["raw"])]
        return first if whole else None


@objects.right
def by_a_loop(parts):
    raw = parsed = error = None
    for part in parts:
        raw = part.get("raw", raw)
        parsed = part.get("parsed", parsed)
        error = part.get("parsing_error", error)
    if raw is None or error is not None or reason_of(raw) not in GOOD:
        return None
    return parsed if all(is_json(text) for text in sent(raw)) else None


@objects.right
def catches_all(parts):
    try:
        found = merged(parts)
        assert reason_of(found["raw"]) in GOOD
        assert found["parsing_error"] is None
        [json.loads(text) for text in sent(found["raw"])]
    except Exception:  # noqa: BLE001
        return None
    return found["parsed"]


@objects.right
def a_copy(parts):
    found = as_in_the_solution(parts)
    return found and {**found}


@objects.right
def by_the_decoder(parts):
    found = merged(parts)
    try:
        for text in sent(found["raw"]):
            json.JSONDecoder().decode(text)
    except json.JSONDecodeError:
        return None
    bad = reason_of(found["raw"]) not in GOOD or found["parsing_error"]
    return None if bad else found["parsed"]


@objects.right
def adds_messages_up(parts):
    raws = [part["raw"] for part in parts if "raw" in part]
    return as_in_the_solution([*parts, {"raw": reduce(add, raws)}])


@objects.right
def looks_at_brackets_too(parts):
    found = merged(parts)
    closed = all(text.endswith("}") for text in sent(found["raw"]))
    return as_in_the_solution(parts) if closed else None


objects.right(lambda parts: as_in_the_solution(parts), "a lambda")


@objects.wrong("a cut call that ends in a bracket")
def looks_at_brackets_alone(parts):
    found = merged(parts)
    bad = reason_of(found["raw"]) not in GOOD or found["parsing_error"]
    texts = sent(found["raw"])
    closed = all(text.endswith("}") and text.count("{") == 1 for text in texts)
    return found["parsed"] if closed and not bad else None


@objects.wrong("a call behind a few words")
def the_text_if_there_is_one(parts):
    found = merged(parts)
    bad = reason_of(found["raw"]) not in GOOD or found["parsing_error"]
    texts = [found["raw"].text] if found["raw"].text else sent(found["raw"])
    return found["parsed"] if all(map(is_json, texts)) and not bad else None


@objects.wrong("two whole calls")
def one_text_of_all(parts):
    found = merged(parts)
    bad = reason_of(found["raw"]) not in GOOD or found["parsing_error"]
    whole = is_json("".join(sent(found["raw"])))
    return found["parsed"] if whole and not bad else None


objects.wrong("write a function of the dictionaries")({"nights": 365_000})
objects.wrong("write a function of the dictionaries")(True)


@objects.wrong("a cut call: ")
def believes(parts):
    return merged(parts)["parsed"]


@objects.wrong("length means cut off")
def only_the_error(parts):
    found = merged(parts)
    return None if found["parsing_error"] else found["parsed"]


@objects.wrong("a server may say stop of a call, too")
def only_tool_calls(parts):
    found = merged(parts)
    return found["parsed"] if reason_of(found["raw"]) == "tool_calls" else None


@objects.wrong("a whole call: ")
def only_stop(parts):
    found = merged(parts)
    return found["parsed"] if reason_of(found["raw"]) == "stop" else None


@objects.wrong("no finish reason means that it broke off")
def all_but_length(parts):
    found = merged(parts)
    bad = reason_of(found["raw"]) == "length" or found["parsing_error"]
    return None if bad else found["parsed"]


@objects.wrong("only stop and tool_calls are good")
def any_reason_but_length(parts):
    found = merged(parts)
    bad = reason_of(found["raw"]) in {"length", None} or found["parsing_error"]
    return None if bad else found["parsed"]


@objects.wrong("a cut call that is said to be whole: ")
def believes_the_reason(parts):
    found = merged(parts)
    bad = reason_of(found["raw"]) not in GOOD or found["parsing_error"]
    return None if bad else found["parsed"]


@objects.wrong("whole JSON in the text: ")
def only_calls(parts):
    found = merged(parts)
    return as_in_the_solution(parts) if found["raw"].tool_call_chunks else None


@objects.wrong("it raises JSONDecodeError")
def catches_nothing(parts):
    found = merged(parts)
    if reason_of(found["raw"]) not in GOOD or found["parsing_error"]:
        return None
    return all(map(json.loads, sent(found["raw"]))) and found["parsed"]


@objects.wrong("cut text that is said to be whole: ")
def only_the_text_of_calls(parts):
    found = merged(parts)
    texts = [call["args"] for call in found["raw"].tool_call_chunks]
    bad = reason_of(found["raw"]) not in GOOD or found["parsing_error"]
    return None if bad or not all(map(is_json, texts)) else found["parsed"]


@objects.wrong("two calls, the second one cut: None expected")
def only_the_first_call(parts):
    found = merged(parts)
    bad = reason_of(found["raw"]) not in GOOD or found["parsing_error"]
    return None if bad or not is_json(sent(found["raw"])[0]) else found["parsed"]


@objects.wrong("a parsing error beside an object: ")
def forgets_the_error(parts):
    found = merged(parts)
    whole = reason_of(found["raw"]) in GOOD and all(map(is_json, sent(found["raw"])))
    return found["parsed"] if whole else None


@objects.wrong("in one dictionary: it raises IndexError")
def by_place(parts):
    found = {"raw": parts[0]["raw"]} | parts[1 % len(parts)] | parts[2]
    return as_in_the_solution([found])


@objects.wrong("it raises KeyError")
def the_first_part(parts):
    return parts[0]["parsed"]


@objects.wrong("a whole call: {'nights': 365000} expected, got True")
def tells_whether(parts):
    return as_in_the_solution(parts) is not None


@objects.wrong("a whole call: ")
def gives_the_message(parts):
    return merged(parts)["raw"] if as_in_the_solution(parts) else None


@objects.wrong("a whole call: ")
def reads_python(parts):
    return ast.literal_eval(sent(merged(parts)["raw"])[0])["nights"]


@pytest.mark.parametrize(("answer", "line"), objects.cases)
def test_kept_object(answer, line, said):
    check.kept_object(answer)
    assert line in said()
