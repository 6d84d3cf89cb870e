"""The seeded building and what its meters and sensors would have sent."""
