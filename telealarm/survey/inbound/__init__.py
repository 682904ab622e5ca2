"""The dialplan's doors: who rings us, and what is said to them before a survey, or instead."""
