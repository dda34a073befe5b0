"""What a library's file is made of: cases, each a name and a function that raises where it fails."""

CASES = []


class Wrong(Exception):
    """An answer that is not the expected one."""


def case(name):
    """Makes a function of the servers one of the cases."""

    def register(function):
        CASES.append((name, function))
        return function

    return register


def expect(what, got, expected):
    if got != expected:
        raise Wrong(f"{what}: expected {short(expected)}, got {short(got)}")


def near(what, got, expected, tolerance=1e-6):
    """For numbers that Python and the server compute each their own way."""
    apart = len(got) != len(expected) or any(
        abs(a - b) > tolerance for a, b in zip(got, expected)
    )
    if apart:
        raise Wrong(f"{what}: expected {short(expected)} within {tolerance}, got {short(got)}")


def says(what, got, *words):
    missing = [word for word in words if word not in str(got)]
    if missing:
        raise Wrong(f"{what}: expected {', '.join(map(repr, missing))} in it, got {short(got)}")


def refused(kind, call):
    """The exception, which must be of this very class, with which a library reports a refusal."""
    try:
        answer = call()
    except Exception as error:
        if type(error) is not kind:
            raise Wrong(f"expected a {kind.__name__}, got {error!r}") from error
        return error
    raise Wrong(f"expected a {kind.__name__}, got the answer {short(answer)}")


def short(value):
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:400]}…"
