"""What the end-to-end tests share. It drives the built program from outside and holds none of its code."""
