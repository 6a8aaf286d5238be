"""How hypothesis tries: the same examples each time, and nothing kept from one time to the next."""

from hypothesis import HealthCheck, Phase, settings


def tries(count: int, *, simplify: bool = True) -> settings:
    """Settings for so many examples; ``simplify`` looks for the simplest that fails, which seeds have no use for."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=list(Phase) if simplify else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
