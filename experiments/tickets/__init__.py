"""Lottery tickets and small networks (chapter 13), in families: a change of one reruns no other."""
