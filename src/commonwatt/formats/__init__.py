"""Bodies and files of readings, and declarations: text in, columns and typed values out."""
