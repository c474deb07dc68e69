"""Letters: in-app and mail first, other channels behind one interface."""
