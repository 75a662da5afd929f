"""Layers that need less by their form (chapter 17), in families: a change of one reruns no other."""
