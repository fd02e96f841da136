"""`weir deadletter`: what the writer had to set aside, looked at and put right by a person.

commands.py ─▶ retry.py   the writer's own rows, inserted once more
             ─▶ shown.py   an entry as people read it
"""
