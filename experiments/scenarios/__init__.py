"""The table of Part I, in families: a change of one reruns no other."""
