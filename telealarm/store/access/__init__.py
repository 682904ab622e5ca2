"""Who logs in, and what each login sees."""
