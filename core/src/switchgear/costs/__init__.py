"""Money: what attempts cost, who keeps the record of it, and what may be spent; one concept a file."""
