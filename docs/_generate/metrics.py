"""reference/metrics.md, from the registry of the metrics."""

from docs._generate.markdown import code, prose, table
from telealarm import metrics

INTRODUCTION = """\
# Metrics

`GET /metrics` answers in Prometheus' text format, without a login. Counters count what this process
did since its start, so sum them over the workers. A label that never came up has no line yet.
"""


def files() -> dict[str, str]:
    """The page, by its path."""
    return {"reference/metrics.md": page()}


def page() -> str:
    """The text of the page."""
    rows = []
    for metric in metrics.REGISTRY.collect():
        # A counter's samples end in _total, as OpenMetrics has it.
        name = metric.name + ("_total" if metric.type == "counter" else "")
        rows.append((code(name), metric.type, _labels(name), prose(metric.documentation)))
    return f"{INTRODUCTION}\n{table(('metric', 'type', 'labels', 'meaning'), sorted(rows))}"


def _labels(name: str) -> str:
    collector = metrics.REGISTRY._names_to_collectors[name]
    return ", ".join(code(label) for label in getattr(collector, "_labelnames", ()))
