"""What was issued, kept for good: the database, what is frozen in it, and what has changed since; apart, because
nothing in here is ever altered.
"""
