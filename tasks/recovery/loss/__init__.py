"""What a disaster has cost: seconds by a heartbeat, messages by their control ids."""
