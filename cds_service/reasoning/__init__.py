"""States, modifiers, decisions: pure functions over the model. Today's date is an argument."""

from cds_service.reasoning.evaluation import evaluate
from cds_service.reasoning.unread import unread_medicines, unread_orders

__all__ = ["evaluate", "unread_medicines", "unread_orders"]
