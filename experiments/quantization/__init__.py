"""Weights of few bits (chapter 15), in families: a change of one reruns no other."""
