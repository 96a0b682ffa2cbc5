"""One resilience mechanism a file; none knows another, and the manager's floor combines them."""
