"""What every request needs: links, errors, logins, limits."""
