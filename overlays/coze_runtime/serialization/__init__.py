"""Values to bytes and back: JSON, models, uploads, and the errors in responses."""
