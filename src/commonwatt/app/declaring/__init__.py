"""What a site is: declarations of it, its meters, devices, rules and keys, checked and applied."""
