"""What every plugin of a kind has to do: subclass its suite in a test module, and pytest checks it."""
