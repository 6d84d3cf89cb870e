"""Commands on readings: import, delivery, edit."""
