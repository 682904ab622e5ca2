"""A section as the survey machine sees it: which keys answer it, and where it leads."""

from dataclasses import dataclass

from telealarm.rules.survey_graph import Place
from telealarm.store.survey.session_state import ScriptSection


@dataclass(frozen=True)
class IvrStep(Place):
    """A place of the survey, with its number of retries and its time limit for a key."""

    retries: int = 0
    timeout_seconds: float = 5.0

    @classmethod
    def of(cls, section: ScriptSection) -> "IvrStep":
        """Return the step of a section."""
        return cls(
            id=section.id,
            flow=section.kind.flow,
            answers=section.kind.answers(),
            branches=section.branches,
            rates=section.kind.rates,
            retries=section.retries,
            timeout_seconds=float(section.timeout_seconds),
        )
