"""The built-in listeners; each is an entry point like anybody else's."""
