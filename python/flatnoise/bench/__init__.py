"""``python -m flatnoise.bench``: flatnoise against its peers on this machine.

Every peer works in a process of its own. The processes take turns, so that all see the same
machine.
"""
