"""Scripts that make data, train, evaluate and export; each is a process of its own."""

from repairai import garbage

garbage.look_seldom()  # before a script imports torch
