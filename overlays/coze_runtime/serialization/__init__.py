"""Values to bytes and back: JSON, models, uploads, and the errors that responses stand for."""
