"""The doors: citizens, officers, operators, platforms. Nothing is decided here; each door hands over to a service."""
