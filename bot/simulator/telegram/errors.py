"""How the Bot API says no: the HTTP status is the error code."""

from typing import Any, Final

_PREFIX: Final = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


class TelegramError(Exception):
    """One refusal; *text* is what follows the prefix of its *code*."""

    def __init__(self, code: int, text: str = "", **parameters: int) -> None:
        prefix = _PREFIX.get(code, "")
        super().__init__(f"{prefix}: {text}" if prefix and text else prefix or text)
        self.code = code
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"ok": False, "error_code": self.code, "description": str(self)}
        if self.parameters:
            answer["parameters"] = self.parameters
        return answer


def bad_request(text: str) -> TelegramError:
    return TelegramError(400, text)


def flood(retry_after: int) -> TelegramError:
    return TelegramError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)
