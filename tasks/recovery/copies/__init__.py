"""What every copy is made by: a directory of its own, backups unpacked and put together."""
