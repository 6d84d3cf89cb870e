"""What another platform says of a meter's quarter-hours, and how ours differ."""
