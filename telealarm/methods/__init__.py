"""Alarm methods: how an alarm reaches its recipient. A method is one file."""
