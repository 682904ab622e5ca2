"""Logins, and the rows that each login sees."""
