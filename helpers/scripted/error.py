"""OpenAI's error body, the exception that becomes one, and what msgspec finds wrong."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from msgspec import ValidationError

KINDS = {429: "rate_limit_error", 500: "server_error"}


class ApiError(Exception):
    """A request that gets an error instead of an answer.

    `status` is the HTTP status; `param` names the part of the request that is wrong;
    `headers` are sent with it.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.headers = headers or {}

    def body(self) -> Mapping[str, object]:
        """Return the JSON body that says so (OpenAI's API reference, "Errors")."""
        return {
            "error": {
                "message": self.message,
                "type": KINDS.get(self.status, "invalid_request_error"),
                "param": self.param,
                "code": self.code,
            }
        }


_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "null": "null",
    "object": "an object",
    "str": "a string",
}


def invalid(
    error: ValidationError, *, within: str = "", known: Mapping[str, Sequence[str]]
) -> ApiError:
    """Return what msgspec found as an error of OpenAI's, which names the parameter.

    `within` is where the value stands that msgspec looked at; `known` has, by the last
    name of a parameter, the values or the fields that it may have.
    """
    found, at, place = str(error).rpartition(" - at `$")
    found, place = (found, place) if at else (place, "")
    param = (within + place.removesuffix("`")).lstrip(".")
    plain = re.sub(r"\[\d+\]", "", param)
    names = known.get(plain) or known.get(plain.rpartition(".")[2], ())
    if wrong := re.fullmatch(r"Object (\w+) .* field `(.*)`", found, re.DOTALL):
        what, name = wrong.groups()
        field = f"{param}.{name}".lstrip(".")
        if what == "missing":
            return missing(field)
        says = f"Unknown parameter: '{field}'."
        if param and names:
            says += f" '{param}' has {', '.join(names)}."
        says += did_you_mean(name, names or known.get("", ()))
        return ApiError(says, param=field, code="unknown_parameter")
    if not param:
        return ApiError("The body must be a JSON object.")
    wanted = found.removeprefix("Expected ").replace(", got", ", not").replace(".0", "")
    if "Invalid" in found or "of type" in found:
        wanted = f"one of {', '.join(names)}"
    elif found.endswith("out of range"):
        wanted = "a smaller number"
    wanted = re.sub(r"`(.*?)`", lambda kinds: _in_words(kinds[1]), wanted)
    return ApiError(f"'{param}' must be {wanted}.", param=param, code=_code(found))


def missing(param: str) -> ApiError:
    """Return the error that a parameter is not there."""
    says = f"Missing required parameter: '{param}'."
    return ApiError(says, param=param, code="missing_required_parameter")


_CODES = {
    r"array` of length >= 1$": "empty_array",
    r"array` of length <=": "array_above_max_length",
    r"`float.*` [<>]= .*|`float.* out of range": "decimal_{}_value",
    r"`int.*` [<>]= .*|out of range": "integer_{}_value",
    r"`str.*` of length <=": "string_above_max_length",
    r"matching regex|^Invalid": "invalid_value",
}


def _code(found: str) -> str:
    """Return OpenAI's code for what msgspec found."""
    way = "below_min" if ">=" in found else "above_max"
    for pattern, code in _CODES.items():
        if re.search(pattern, found):
            return code.format(way)
    return "invalid_type"


def _in_words(kinds: str) -> str:
    """Say `str | null` in words; that null stands for nothing is left out."""
    names = kinds.removesuffix(" | null").split(" | ")
    return " or ".join(_WORDS.get(name, name) for name in names)


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return a question that names what is nearest to `name`, if anything is near."""
    near = get_close_matches(name[:40], known, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""
