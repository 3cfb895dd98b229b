"""OpenAI's error body, and the exception that becomes one."""

from collections.abc import Mapping

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
