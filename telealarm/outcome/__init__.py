"""Outcome: what an ended call comes to, who is told, and what a crash left behind."""
