"""How Slack says no."""

from collections.abc import Sequence


class SlackError(Exception):
    """One refusal. *problems*: the validator's sentences with json-pointers; *needed*: scopes that are missing."""

    def __init__(
        self,
        error: str,
        problems: Sequence[str] = (),
        *,
        status: int = 200,
        retry_after: int | None = None,
        needed: str = "",
    ) -> None:
        super().__init__(error)
        self.error = error
        self.problems = tuple(problems)
        self.status = status
        self.retry_after = retry_after
        self.needed = needed

    def body(self) -> dict[str, object]:
        """The JSON answer: slack-api fixtures `invalid-blocks` and `channel-not-found`."""
        answer: dict[str, object] = {"ok": False, "error": self.error}
        if self.needed:
            answer["needed"] = self.needed
        if self.problems:
            answer["errors"] = list(self.problems)
            answer["response_metadata"] = {"messages": [f"[ERROR] {problem}" for problem in self.problems]}
        return answer
