"""States, modifiers, decisions: pure functions over the model. Today's date is an argument."""

from cds_service.reasoning.evaluation import evaluate

__all__ = ["evaluate"]
