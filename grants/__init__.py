"""The grant, from call to evaluation, and the ground it stands on."""
