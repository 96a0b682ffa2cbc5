"""What a cache is made of, one concept a file: keys, freshness, flights, the form of entries, the backends."""
