"""How much old data it takes (chapter 06), in families: a change of one reruns no other."""
