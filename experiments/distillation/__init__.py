"""What a student learns from a teacher (chapter 14), in families: a change of one reruns no other."""
