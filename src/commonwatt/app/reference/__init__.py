"""What another platform says of the same meters: kept beside ours and compared."""
