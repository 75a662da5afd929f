"""What an instructor runs and a student's process must never import. See ARCHITECTURE.md."""
